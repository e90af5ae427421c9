/** timedatectl(1): the time zone, and whether timesyncd found the time. */
import type { EmulatedMachine } from '../machine/emulated-machine.ts';
import { failure, type Tool, type ToolCall, type ToolResult } from '../tools/tool.ts';
import { reaches } from './resolvectl.ts';

/** How long the first answer of a time server takes, in milliseconds. */
const answerMs = 200;

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
    case 'timesync-status':
      return timesyncStatus(call.machine);
    case 'status': {
      const { time_zone } = call.machine.read().network;
      return {
        stdout: `                Time zone: ${time_zone}\nSystem clock synchronized: ${synchronized(call.machine) === undefined ? 'no' : 'yes'}\n`,
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

async function show(machine: EmulatedMachine, words: readonly string[]): Promise<ToolResult> {
  const all: Record<string, string> = {
    Timezone: machine.read().network.time_zone,
    LocalRTC: 'no',
    CanNTP: 'yes',
    NTP: machine.read().system.units['systemd-timesyncd.service']?.active === 'active' ? 'yes' : 'no',
    NTPSynchronized: synchronized(machine) === undefined ? 'no' : 'yes',
  };
  const asked = words.flatMap((word) => /^(?:--property=|-p)(.+)$/u.exec(word)?.[1]?.split(',') ?? []);
  const names = asked.length === 0 ? Object.keys(all) : asked.filter((name) => name in all);
  const value = words.includes('--value');
  return {
    stdout: names.map((name) => (value ? `${all[name] ?? ''}\n` : `${name}=${all[name] ?? ''}\n`)).join(''),
  };
}

async function timesyncStatus(machine: EmulatedMachine): Promise<ToolResult> {
  const server = synchronized(machine);
  if (server === undefined) return { stdout: '       Server: n/a\n' };
  return {
    stdout: `       Server: ${server} (${server})\nPoll interval: 1min 4s (min: 32s; max 34min 8s)\n         Leap: normal\n      Version: 4\n      Stratum: 2\n`,
  };
}

/** The time server that answered timesyncd, if one did. */
function synchronized(machine: EmulatedMachine): string | undefined {
  const { network: section, system } = machine.read();
  const unit = system.units['systemd-timesyncd.service'];
  if (unit?.active !== 'active' || Date.now() - Date.parse(unit.since ?? '') < answerMs) return undefined;
  const served = section.lan.ipv4?.ntp ?? [];
  for (const link of section.links) {
    const servers = [...(link.network?.ntp ?? []), ...(link.network?.dhcp4 === true ? served : [])];
    for (const server of servers) {
      if (
        /^[\d.]+$|:/u.test(server)
          ? reaches(section, link, server) ||
            (served.includes(server) && reaches(section, link, section.lan.ipv4?.dns[0] ?? ''))
          : reaches(section, link, '203.0.113.123')
      )
        return server;
    }
  }
  return undefined;
}
