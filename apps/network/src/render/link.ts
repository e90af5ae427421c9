/**
 * `.link` files: the name, MAC policy and hardware settings of cards (systemd.link(5)). Energy-efficient ethernet is not
 * among them: udev of systemd 257 can't set it.
 */
import type {
  SystemNetworkBond,
  SystemNetworkEthernet,
  SystemNetworkInterface,
} from '@incusos/contracts/network';
import { physicalName } from './device-names.ts';
import { cardMtu, type CardLimits } from './mtu.ts';
import { section, unitText } from './unit-text.ts';

export type Files = readonly (readonly [name: string, content: string])[];

/** The card's own address moves to the veth, so the card gets a random one. */
export function interfaceLink({ hwaddr, ethernet }: SystemNetworkInterface, limits: CardLimits): Files {
  return [
    [`00-${physicalName(hwaddr)}.link`, linkFile(hwaddr, ['MACAddressPolicy=random'], ethernet, limits)],
  ];
}

export function bondLinks({ members, ethernet }: SystemNetworkBond, limits: CardLimits): Files {
  return members.map(
    (member) => [`01-${physicalName(member)}.link`, linkFile(member, [], ethernet, limits)] as const,
  );
}

function linkFile(
  mac: string,
  policy: readonly string[],
  ethernet: SystemNetworkEthernet | undefined,
  limits: CardLimits,
): string {
  return unitText(
    section('Match', `PermanentMACAddress=${mac}`),
    section(
      'Link',
      policy,
      'NamePolicy=',
      `Name=${physicalName(mac)}`,
      `MTUBytes=${cardMtu(mac, limits)}`,
      ethernetLines(ethernet),
    ),
  );
}

function ethernetLines(ethernet: SystemNetworkEthernet | undefined): string[] {
  if (ethernet === undefined) return [];
  const lines: string[] = [];
  if (ethernet.disable_gro === true)
    lines.push('GenericReceiveOffload=false', 'GenericReceiveOffloadHardware=false');
  if (ethernet.disable_gso === true) lines.push('GenericSegmentationOffload=false');
  if (ethernet.disable_ipv4_tso === true) lines.push('TCPSegmentationOffload=false');
  if (ethernet.disable_ipv6_tso === true) lines.push('TCP6SegmentationOffload=false');
  if (ethernet.wakeonlan === true) {
    const modes = ethernet.wakeonlan_modes.length === 0 ? ['magic'] : ethernet.wakeonlan_modes;
    lines.push(...modes.map((mode) => `WakeOnLan=${mode}`));
    const { wakeonlan_password: password = '' } = ethernet;
    if (modes.includes('secureon') && password !== '') lines.push(`WakeOnLanPassword=${password}`);
  }
  const buffers = [
    ['RxBufferSize', ethernet.rx_buffer_size],
    ['RxMiniBufferSize', ethernet.rx_mini_buffer_size],
    ['RxJumboBufferSize', ethernet.rx_jumbo_buffer_size],
    ['TxBufferSize', ethernet.tx_buffer_size],
  ] as const;
  for (const [key, size = ''] of buffers) if (size !== '') lines.push(`${key}=${size}`);
  return lines;
}
