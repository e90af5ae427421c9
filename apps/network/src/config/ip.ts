/** IP addresses and networks as numbers, to compare them whatever way they were written. */
import { isIP } from 'node:net';

export interface Ip {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** An address with the network that its prefix length makes of it. */
export interface Subnet extends Ip {
  readonly prefix: number;
  /** First and last address of the network. */
  readonly first: bigint;
  readonly last: bigint;
}

/** `undefined` for what is no address, or one with a zone such as `fe80::1%eth0`. */
export function parseIp(text: string): Ip | undefined {
  const family = isIP(text);
  if (family === 4) return { family, value: BigInt(numberOf(text)) };
  if (family !== 6 || text.includes('%')) return undefined;
  // The last 32 bits may be in IPv4's notation.
  const dotted = text.includes('.') ? text.slice(text.lastIndexOf(':') + 1) : '';
  const hex =
    dotted === ''
      ? text
      : `${text.slice(0, -dotted.length)}${numberOf(dotted).toString(16).padStart(8, '0').replace(/^.{4}/u, '$&:')}`;
  const [before = '', after = ''] = hex.split('::');
  const [left, right] = [digitsOf(before), digitsOf(after)];
  return { family: 6, value: BigInt(`0x${left.padEnd(32 - right.length, '0')}${right}`) };
}

function numberOf(dotted: string): number {
  let value = 0;
  for (const part of dotted.split('.')) value = value * 256 + Number(part);
  return value;
}

/** Groups with all their digits. */
function digitsOf(groups: string): string {
  if (groups === '') return '';
  let digits = '';
  for (const group of groups.split(':')) digits += group.padStart(4, '0');
  return digits;
}

/** An address with its prefix length, such as `192.0.2.1/24`; `undefined` for anything else. */
export function parseSubnet(text: string): Subnet | undefined {
  // A leading zero would be an octal number to systemd.
  const match = /^([\d.:A-Fa-f]+)\/(0|[1-9]\d{0,2})$/u.exec(text);
  const ip = parseIp(match?.[1] ?? '');
  const prefix = Number(match?.[2]);
  if (ip === undefined || prefix > bitsOf(ip)) return undefined;
  const size = 1n << BigInt(bitsOf(ip) - prefix);
  const first = ip.value - (ip.value % size);
  return { ...ip, prefix, first, last: first + size - 1n };
}

/** The network of an address with its prefix length, written as it was where the address is the network's. */
export function networkText(text: string): string {
  const subnet = parseSubnet(text);
  if (subnet === undefined || subnet.value === subnet.first) return text;
  const [width, base, separator] = subnet.family === 4 ? [8, 10, '.'] : [16, 16, ':'];
  const parts: string[] = [];
  for (let left = bitsOf(subnet) - width; left >= 0; left -= width)
    parts.push(((subnet.first >> BigInt(left)) & ((1n << BigInt(width)) - 1n)).toString(base));
  return `${parts.join(separator)}/${subnet.prefix}`;
}

export function bitsOf({ family }: Ip): number {
  return family === 4 ? 32 : 128;
}

export function contains(subnet: Subnet, ip: Ip): boolean {
  return subnet.family === ip.family && subnet.first <= ip.value && ip.value <= subnet.last;
}

function within(...networks: string[]): (ip: Ip) => boolean {
  const subnets = networks.map(parseSubnet).filter((subnet) => subnet !== undefined);
  return (ip) => subnets.some((subnet) => contains(subnet, ip));
}

/** RFC 4291, 2.5.6: may be used again on every link. */
export const isLinkLocal = within('fe80::/10');
/** What no device can have and no router goes by: RFC 1122, 3.2.1.3; RFC 4291, 2.5.2, 2.5.3 and 2.7. */
export const isNoUnicast = within(
  '0.0.0.0/8',
  '127.0.0.0/8',
  '224.0.0.0/4',
  '255.255.255.255/32',
  '::/127',
  'ff00::/8',
);
