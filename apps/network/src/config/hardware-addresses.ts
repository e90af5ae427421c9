/** Rules for MACs (2, 18, 19, 31). */
import type { SystemNetworkConfig } from '@incusos/contracts/network';
import { at, type Pass, type Place, type Violation } from './violation.ts';

const mac = /^[\dA-Fa-f]{2}(?::[\dA-Fa-f]{2}){5}$/u;

export function isMac(text: string): boolean {
  return mac.test(text);
}

/** The kernel gives no device the address of a group of devices, nor zeros (`is_valid_ether_addr`). */
function isGroup(address: string): boolean {
  return (Number.parseInt(address.slice(0, 2), 16) & 1) === 1 || /^[0:]+$/u.test(address);
}

/** @param field where the address is within its entry, such as `hwaddr` or `members[1]`. */
export function* checkHardwareAddress(
  address: string,
  field: string,
  place: Place,
  pass: Pass,
): Generator<Violation> {
  if (address === '') yield at(place, field, 'has no MAC address');
  else if (pass === 'strict' && !isMac(address)) yield at(place, field, `invalid MAC address '${address}'`);
  else if (!isMac(address) && !/^[^\s/\p{Cc}]{1,128}$/u.test(address)) {
    yield at(place, field, `invalid MAC address '${address}'`);
  } else if (isMac(address) && isGroup(address)) {
    yield at(place, field, `MAC address '${address}' can't be that of a single device`);
  }
}

export function* checkUniqueHardwareAddresses(config: SystemNetworkConfig): Generator<Violation> {
  const seen = new Set<string>();
  const add = function* (address: string, field: string): Generator<Violation> {
    const key = address.toLowerCase();
    if (key !== '' && seen.has(key)) yield { field, message: `duplicate MAC address: ${address}` };
    seen.add(key);
  };
  for (const [index, { hwaddr }] of config.interfaces.entries())
    yield* add(hwaddr, `config.interfaces[${index}].hwaddr`);
  for (const [index, { members }] of config.bonds.entries()) {
    for (const [number, member] of members.entries())
      yield* add(member, `config.bonds[${index}].members[${number}]`);
  }
  for (const [index, { hwaddr = '', members }] of config.bonds.entries()) {
    // A bond commonly goes by the address of one of its members.
    const own = members.some((member) => member.toLowerCase() === hwaddr.toLowerCase());
    if (!own) yield* add(hwaddr, `config.bonds[${index}].hwaddr`);
  }
}

/** The cards that a configuration uses, in lower case. */
export function cardMacs(config: SystemNetworkConfig): string[] {
  return [
    ...config.interfaces.map(({ hwaddr }) => hwaddr),
    ...config.bonds.flatMap(({ members }) => members),
  ].map((mac) => mac.toLowerCase());
}
