/** Arithmetic on addresses, as text in and text out. */
import { createHash } from 'node:crypto';
import { isIP } from 'node:net';

/** An address and its prefix length, from CIDR notation. `undefined` when it isn't one. */
export function parseCidr(text: string): { address: string; length: number; family: 4 | 6 } | undefined {
  const [address = '', mask = ''] = text.split('/');
  const family = isIP(address);
  if ((family !== 4 && family !== 6) || !/^\d{1,3}$/u.test(mask)) return undefined;
  const length = Number(mask);
  return length > (family === 4 ? 32 : 128) ? undefined : { address, length, family };
}

/** The 4 or 16 bytes of an address. */
export function addressBytes(address: string): number[] {
  if (isIP(address) === 4) return address.split('.').map(Number);
  const [head = '', tail = ''] = address.split('::');
  const groups = (part: string): number[] =>
    part === ''
      ? []
      : part.split(':').flatMap((group) => {
          if (group.includes('.')) return group.split('.').map(Number);
          const value = Number.parseInt(group, 16);
          return [value >> 8, value & 0xff];
        });
  const front = groups(head);
  const back = groups(tail);
  return address.includes('::')
    ? [...front, ...Array<number>(16 - front.length - back.length).fill(0), ...back]
    : front;
}

export function macBytes(mac: string): number[] {
  return mac.split(':').map((octet) => Number.parseInt(octet, 16));
}

/** The usual notation; IPv6 as RFC 5952 has it. */
export function formatAddress(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups: string[] = [];
  for (let index = 0; index < 16; index += 2)
    groups.push((((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0)).toString(16));
  const text = groups.join(':');
  let longest = '';
  for (const run of text.matchAll(/(?:^|(?<=:))0(?::0)+(?=:|$)/gu))
    if (run[0].length > longest.length) longest = run[0];
  if (longest === '') return text;
  const at = text.search(new RegExp(`(?:^|(?<=:))${longest}(?=:|$)`, 'u'));
  return `${text.slice(0, at).replace(/:$/u, '')}::${text.slice(at + longest.length).replace(/^:/u, '')}`;
}

/** The network of an address, in CIDR notation. */
export function networkOf(address: string, length: number): string {
  const bytes = addressBytes(address).map((byte, index) => {
    const bits = Math.min(Math.max(length - index * 8, 0), 8);
    return byte & ((0xff << (8 - bits)) & 0xff);
  });
  return `${formatAddress(bytes)}/${length}`;
}

/** Whether a network in CIDR notation holds an address. */
export function contains(network: string, address: string): boolean {
  const cidr = parseCidr(network);
  return (
    cidr !== undefined &&
    isIP(address) === cidr.family &&
    networkOf(address, cidr.length) === networkOf(cidr.address, cidr.length)
  );
}

/** The address that a MAC gives within a prefix of 64 bits (RFC 4291, modified EUI-64). */
export function eui64(prefix: string, mac: string): string {
  const octets = mac.split(':').map((octet) => Number.parseInt(octet, 16));
  const [first = 0, second = 0, third = 0, ...rest] = octets;
  const host = [first ^ 2, second, third, 0xff, 0xfe, ...rest];
  return formatAddress([...addressBytes(prefix.split('/')[0] ?? '::').slice(0, 8), ...host]);
}

/** The address with a host number in a network. */
export function hostAddress(network: string, host: number): string {
  const cidr = parseCidr(network);
  const bytes = addressBytes(networkOf(cidr?.address ?? '0.0.0.0', cidr?.length ?? 0).split('/')[0] ?? '');
  let carry = host;
  for (let index = bytes.length - 1; index >= 0 && carry > 0; index -= 1) {
    carry += bytes[index] ?? 0;
    bytes[index] = carry & 0xff;
    carry >>= 8;
  }
  return formatAddress(bytes);
}

/** A number from 0 up to `range` that always is the same for the same text. */
export function stableNumber(text: string, range: number): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0) % range;
}

/** The broadcast address of an IPv4 network. */
export function broadcastOf(address: string, length: number): string {
  const bytes = addressBytes(address).map((byte, index) => {
    const bits = Math.min(Math.max(length - index * 8, 0), 8);
    return byte | (0xff >> bits);
  });
  return formatAddress(bytes);
}
