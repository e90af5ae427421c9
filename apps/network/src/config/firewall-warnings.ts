/** Firewall rules that lock out whoever wrote them. */
import type { Device } from './device.ts';
import type { PlacedDevice } from './devices-of.ts';
import { at, type Violation } from './violation.ts';

const apiPort = 8443;

/** The API is reached through the devices with the role `management`, or all when none has it. */
export function* closedWarnings(devices: readonly PlacedDevice[]): Generator<Violation> {
  const managed = devices.filter(({ device }) => device.roles.includes('management'));
  for (const { device, place } of managed.length > 0 ? managed : devices) {
    if (device.addresses.length > 0 && isClosed(device))
      yield at(place, 'firewall_rules', `no rule lets in connections to the API (TCP port ${apiPort})`);
  }
}

/** The first rule that matches counts, and what no rule decides comes in. */
function isClosed({ firewall_rules: rules }: Device): boolean {
  for (const { action, protocol = '', port = 0, source = '' } of rules) {
    const concerns = protocol === '' || (protocol === 'tcp' && port === apiPort);
    if (!concerns) continue;
    if (action === 'accept') return false;
    if (source === '') return true;
  }
  return false;
}
