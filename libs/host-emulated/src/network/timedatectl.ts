/** timedatectl(1): the time zone, and whether timesyncd found the time. */
import { isIP } from 'node:net';
import type { EmulatedMachine } from '../machine/emulated-machine.ts';
import { failure, type Tool, type ToolCall, type ToolResult } from '../tools/tool.ts';
import { timesyncdUnit } from './timesyncd.ts';

export const timedatectl: Tool = async (call) => {
  const words = call.args.filter((arg) => arg !== '--no-pager' && arg !== '--no-ask-password');
  const [verb = 'status', ...rest] = words.filter((arg) => !/^(?:--(?:property=|value)|-p)/u.test(arg));
  switch (verb) {
    case 'set-timezone':
      return setTimeZone(call, rest[0]);
    case 'list-timezones':
      return { stdout: [...Intl.supportedValuesOf('timeZone'), 'UTC'].toSorted().join('\n') + '\n' };
    case 'show':
      return show(call.machine, words);
    case 'show-timesync':
      return showTimesync(call.machine, words);
    case 'timesync-status':
      return timesyncStatus(call.machine);
    case 'status': {
      const { time_zone } = call.machine.read().network;
      return {
        stdout: `                Time zone: ${time_zone}\nSystem clock synchronized: ${timeServer(call.machine) === undefined ? 'no' : 'yes'}\n`,
      };
    }
    default:
      return failure(
        verb.startsWith('-')
          ? `timedatectl: unrecognized option '${verb}'`
          : `Unknown command verb '${verb}'.`,
      );
  }
};

async function setTimeZone({ machine, files }: ToolCall, zone: string | undefined): Promise<ToolResult> {
  if (zone === undefined) return failure('Too few arguments.');
  const known = zone === 'UTC' || Intl.supportedValuesOf('timeZone').includes(zone) || canonical(zone);
  if (!known) return failure(`Failed to set time zone: Invalid or not installed time zone '${zone}'`);
  await machine.change(({ network }) => {
    network.time_zone = zone;
  });
  await files.makeSymlink(`../usr/share/zoneinfo/${zone}`, '/etc/localtime');
  return {};
}

/** A zone's other names, such as `Asia/Calcutta`, in the case in which the database has them. */
function canonical(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return /^[A-Z][A-Za-z0-9_+-]*(?:\/[A-Z][A-Za-z0-9_+-]*)*$/u.test(zone);
  } catch {
    return false;
  }
}

function show(machine: EmulatedMachine, words: readonly string[]): ToolResult {
  const { network, system } = machine.read();
  return properties(
    {
      Timezone: network.time_zone,
      LocalRTC: 'no',
      CanNTP: 'yes',
      NTP: system.units[timesyncdUnit]?.active === 'active' ? 'yes' : 'no',
      NTPSynchronized: timeServer(machine) === undefined ? 'no' : 'yes',
    },
    words,
  );
}

function timesyncStatus(machine: EmulatedMachine): ToolResult {
  const server = timeServer(machine);
  if (server === undefined) return { stdout: '       Server: n/a\n' };
  return {
    stdout: `       Server: ${server} (${server})\nPoll interval: 1min 4s (min: 32s; max 34min 8s)\n         Leap: normal\n      Version: 4\n      Stratum: 2\n`,
  };
}

/** What timesyncd says over D-Bus; properties without a value are left out. */
function showTimesync(machine: EmulatedMachine, words: readonly string[]): ToolResult {
  if (machine.read().system.units[timesyncdUnit]?.active !== 'active')
    return failure('Failed to parse bus message: Unit systemd-timesyncd.service not active.');
  const server = timeServer(machine);
  const { network } = machine.read();
  const links = [...new Set(network.links.flatMap((link) => link.network?.ntp ?? []))];
  return properties(
    {
      LinkNTPServers: links.join(' '),
      FallbackNTPServers: '0.debian.pool.ntp.org 1.debian.pool.ntp.org',
      ServerName: server ?? '',
      ServerAddress: server === undefined ? '' : isIP(server) === 0 ? '203.0.113.123' : server,
      PollIntervalUSec: '1min 4s',
    },
    words,
  );
}

function properties(all: Readonly<Record<string, string>>, words: readonly string[]): ToolResult {
  const asked = words.flatMap((word) => /^(?:--property=|-p)(.+)$/u.exec(word)?.[1]?.split(',') ?? []);
  const names =
    asked.length === 0 ? Object.keys(all) : Object.keys(all).filter((name) => asked.includes(name));
  const value = words.includes('--value');
  return {
    stdout: names
      .filter((name) => all[name] !== '')
      .map((name) => (value ? `${all[name] ?? ''}\n` : `${name}=${all[name] ?? ''}\n`))
      .join(''),
  };
}

/** The time server that answered timesyncd, if one did. */
function timeServer(machine: EmulatedMachine): string | undefined {
  const { network, system } = machine.read();
  return system.units[timesyncdUnit]?.active === 'active' ? network.time_server : undefined;
}
