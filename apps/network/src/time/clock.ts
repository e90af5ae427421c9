/** Time zone and time servers, through timedatectl(1) and timesyncd.conf(5). */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SystemNetworkConfig } from '@incusos/contracts/network';
import type { Host } from '@incusos/host';

const timesyncdFile = '/run/systemd/timesyncd.conf';
const timesyncd = 'systemd-timesyncd.service';
const pollMs = 500;
const pollsBeforeRestart = 5;
const patienceMs = 30_000;

/** UTC unless configured. */
function timeZoneOf(config: SystemNetworkConfig): string {
  const { timezone = '' } = config.time ?? {};
  return timezone === '' ? 'UTC' : timezone;
}

export async function setTimeZone(host: Host, config: SystemNetworkConfig): Promise<void> {
  const zone = timeZoneOf(config);
  const { stdout } = await host.programs.run(['timedatectl', 'show', '--property=Timezone', '--value']);
  if (stdout.trim() !== zone) await host.programs.run(['timedatectl', 'set-timezone', zone]);
}

/** The servers that are asked when no link has any of its own. */
export async function writeTimeServers(host: Host, config: SystemNetworkConfig): Promise<void> {
  const servers = config.time?.ntp_servers ?? [];
  if (servers.length === 0) await host.files.remove(timesyncdFile);
  else await host.files.writeAtomic(timesyncdFile, `[Time]\nFallbackNTP=${servers.join(' ')}\n`);
}

/**
 * Lets timesyncd look for the time on the network as it is now.
 * @returns whether it found it within 30 s.
 */
export async function synchronizeClock(host: Host, signal: AbortSignal): Promise<boolean> {
  const deadline = Date.now() + patienceMs;
  for (let polls = 0; Date.now() < deadline; polls += 1) {
    if (polls % pollsBeforeRestart === 0) await host.programs.run(['systemctl', 'restart', timesyncd]);
    await sleep(pollMs, undefined, { signal });
    const { stdout } = await host.programs.run([
      'timedatectl',
      'show',
      '--property=NTPSynchronized',
      '--value',
    ]);
    if (stdout.trim() === 'yes') return true;
  }
  return false;
}
