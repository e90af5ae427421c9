/** The machine's time zone, as `/etc/localtime` says (localtime(5)). */
import type { Files } from './files.ts';

/** A machine without a setting runs on UTC. */
const unset = 'UTC';

/** The IANA name of the time zone; `UTC` when none is set, or one that isn't known here. */
export async function readTimeZone(files: Files): Promise<string> {
  const target = await files.readLink('/etc/localtime').catch(() => '');
  const zone = /\/zoneinfo\/(?<name>.+)$/u.exec(target)?.groups?.['name'] ?? unset;
  return isKnown(zone) ? zone : unset;
}

/** Making a formatter takes far longer than anything else here, and a machine is in one zone. */
let lastKnown = unset;

function isKnown(timeZone: string): boolean {
  if (timeZone === lastKnown) return true;
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    lastKnown = timeZone;
    return true;
  } catch {
    return false;
  }
}
