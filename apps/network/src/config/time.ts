/** Rules for time servers and the time zone. */
import type { SystemNetworkTime } from '@incusos/contracts/network';
import { isDomain } from './dns.ts';
import { parseIp } from './ip.ts';
import type { Violation } from './violation.ts';

export function* checkTime(time: SystemNetworkTime | undefined): Generator<Violation> {
  if (time === undefined) return;
  for (const [index, server] of time.ntp_servers.entries()) {
    if (parseIp(server) === undefined && !isDomain(server)) {
      yield { field: `config.time.ntp_servers[${index}]`, message: `invalid NTP server '${server}'` };
    }
  }
  const { timezone = '' } = time;
  if (timezone !== '' && !isTimeZone(timezone))
    yield { field: 'config.time.timezone', message: `unknown time zone '${timezone}'` };
}

/** A name of the IANA database, in its spelling; offsets such as `+02:00` are none. */
function isTimeZone(name: string): boolean {
  if (!/^[A-Z][\w+-]*(?:\/[A-Z][\w+-]*)*$/u.test(name)) return false;
  // The formatter takes any case, and also the older names that aren't in the list; the machine has files.
  const small = name.toLowerCase();
  const listed = Intl.supportedValuesOf('timeZone').find((zone) => zone.toLowerCase() === small);
  if (listed !== undefined) return listed === name;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
