/** Rules for the settings of a NIC (31, and what systemd.link(5) takes). */
import type { SystemNetworkEthernet } from '@incusos/contracts/network';
import { isMac } from './hardware-addresses.ts';
import { at, type Place, type Violation } from './violation.ts';

const wakeModes = ['phy', 'unicast', 'multicast', 'broadcast', 'arp', 'magic', 'secureon', 'off'];

export function* checkEthernet(
  ethernet: SystemNetworkEthernet | undefined,
  place: Place,
): Generator<Violation> {
  if (ethernet === undefined) return;
  const { wakeonlan_password: password = '', wakeonlan_modes: modes } = ethernet;
  if (password !== '' && !isMac(password)) {
    yield at(
      place,
      'ethernet.wakeonlan_password',
      `bad wake-on-lan password: invalid MAC address '${password}'`,
    );
  }
  for (const [index, mode] of modes.entries()) {
    if (!wakeModes.includes(mode))
      yield at(place, `ethernet.wakeonlan_modes[${index}]`, `unsupported wake-on-lan mode '${mode}'`);
  }
  for (const field of [
    'rx_buffer_size',
    'rx_mini_buffer_size',
    'rx_jumbo_buffer_size',
    'tx_buffer_size',
  ] as const) {
    const size = ethernet[field] ?? '';
    const fits =
      size === '' || size === 'max' || (/^[1-9]\d{0,9}$/u.test(size) && Number(size) <= 4_294_967_295);
    if (!fits)
      yield at(place, `ethernet.${field}`, `invalid buffer size '${size}', must be a number or 'max'`);
  }
}
