/** Time zone and time servers, through timedatectl(1) and timesyncd.conf(5). */
import type { SystemNetworkConfig } from '@incusos/contracts/network';
import type { Host } from '@incusos/host';

/** Where timesyncd reads it. */
export const timeServersFile = '/run/systemd/timesyncd.conf';
const zoneLink = '/etc/localtime';
const zones = '/usr/share/zoneinfo/';

/** UTC unless configured. */
function timeZoneOf(config: SystemNetworkConfig): string {
  const { timezone = '' } = config.time ?? {};
  return timezone === '' ? 'UTC' : timezone;
}

export async function setTimeZone(host: Host, config: SystemNetworkConfig): Promise<void> {
  const zone = timeZoneOf(config);
  if ((await presentZone(host)) !== zone) await host.programs.run(['timedatectl', 'set-timezone', zone]);
}

/** The zone that localtime(5) names; it is UTC where there is no such link. */
async function presentZone(host: Host): Promise<string> {
  const target = await host.files.readLink(zoneLink).catch(() => `${zones}UTC`);
  const at = target.indexOf(zones.slice(1));
  return at === -1 ? target : target.slice(at + zones.length - 1);
}

/** The file with the servers that are asked when no link has any of its own; nothing where none are configured. */
export function timeServersOf(config: SystemNetworkConfig): string | undefined {
  const servers = config.time?.ntp_servers ?? [];
  return servers.length === 0 ? undefined : `[Time]\nFallbackNTP=${servers.join(' ')}\n`;
}

export async function writeTimeServers(host: Host, config: SystemNetworkConfig): Promise<void> {
  const wanted = timeServersOf(config);
  const present = await host.files.readText(timeServersFile).catch(() => undefined);
  if (present === wanted) return;
  if (wanted === undefined) await host.files.remove(timeServersFile);
  else await host.files.writeAtomic(timeServersFile, wanted);
}
