/** systemd-timesyncd: asks the time servers of links, else those of its file, and touches a file at every answer. */
import { utimes, writeFile } from 'node:fs/promises';
import type { Files } from '@incusos/host';
import type { EmulatedMachine } from '../machine/emulated-machine.ts';
import type { Unit } from '../system/units.ts';
import { reaches } from './resolvectl.ts';
import type { NetworkSection } from './section.ts';

export const timesyncdUnit = 'systemd-timesyncd.service';

const directory = '/run/systemd/timesync';
const touched = `${directory}/synchronized`;
/** How long the first answer of a time server takes, in milliseconds. */
const answerMs = 200;
/** Between two questions to servers that don't answer. */
const longestPauseMs = 4_000;
/** A name that isn't resolved stands for a server on the internet. */
const distant = '203.0.113.123';

export const timesyncd: Unit = {
  name: timesyncdUnit,
  description: 'Network Time Synchronization',
  process: { command: '/usr/lib/systemd/systemd-timesyncd', user: 'systemd-timesync' },
  onStart: async ({ machine, files }) => {
    await files.makeDirectory(directory);
    askUntilAnswered(machine, files, await fallbackServers(files));
  },
  onStop: async ({ machine, files }) => {
    starts.delete(machine);
    await files.remove(directory);
    await machine.change(({ network }) => {
      delete network.time_server;
    });
  },
};

async function fallbackServers(files: Files): Promise<string[]> {
  const text = await files.readText('/run/systemd/timesyncd.conf').catch(() => '');
  const configured = /^FallbackNTP=(.*)$/mu.exec(text)?.[1]?.split(/\s+/u);
  // Debian's own, where nothing is configured.
  return configured ?? ['0.debian.pool.ntp.org'];
}

/** The start that counts, of each machine. */
const starts = new WeakMap<EmulatedMachine, symbol>();

function askUntilAnswered(machine: EmulatedMachine, files: Files, fallback: readonly string[]): void {
  const start = Symbol('start');
  starts.set(machine, start);
  const ask = async (): Promise<boolean> => {
    const server = serverThatAnswers(machine.read().network, fallback);
    if (server === undefined) return false;
    await machine.change(({ network }) => {
      network.time_server = server;
    });
    const path = files.resolve(touched);
    await writeFile(path, '');
    await utimes(path, new Date(), new Date());
    return true;
  };
  const askIn = (ms: number): void => {
    setTimeout(() => {
      if (!machine.exists || starts.get(machine) !== start) return;
      ask().then(
        (answered) => answered || askIn(Math.min(ms * 1.3, longestPauseMs)),
        // The machine is gone.
        () => undefined,
      );
    }, ms).unref();
  };
  askIn(answerMs);
}

/** The first server that packets get to; the links' own come before the others. */
function serverThatAnswers(
  section: Readonly<NetworkSection>,
  fallback: readonly string[],
): string | undefined {
  const served = section.lan.ipv4?.ntp ?? [];
  const ofLinks = section.links.flatMap(({ network }) => [
    ...(network?.ntp ?? []),
    ...(network?.dhcp4 === true ? served : []),
  ]);
  return [...new Set(ofLinks.length > 0 ? ofLinks : fallback)].find((server) =>
    section.links.some((link) => answers(section, link, server)),
  );
}

function answers(
  section: Readonly<NetworkSection>,
  link: NetworkSection['links'][number],
  server: string,
): boolean {
  if (!/^[\d.]+$|:/u.test(server)) return reaches(section, link, distant);
  if (reaches(section, link, server)) return true;
  // Where the LAN has a server of its own, its resolver is as near.
  const { ipv4 } = section.lan;
  return ipv4 !== null && ipv4.ntp.includes(server) && reaches(section, link, ipv4.dns[0] ?? '');
}
