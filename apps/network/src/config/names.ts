/** Rules for the names of devices (1, 3, 4, 5), which become kernel device names and file names. */
import type { SystemNetworkConfig } from '@incusos/contracts/network';
import { at, type Place, type Violation } from './violation.ts';

/** Two characters of the kernel's 15 are for the prefixes `_p`, `_b`, `_v` and `_i`. */
const longestName = 13;

/** The name a NIC without a place on a bus gets from udev. It is longer than a name may be, so its prefix goes. */
const macName = /^enx[\dA-Fa-f]{12}$/u;

export function shortName(name: string): string {
  return macName.test(name) ? name.slice('enx'.length) : name;
}

/**
 * What the kernel (`dev_valid_name` in net/core/dev.c) or systemd (`ifname_valid` in basic/socket-util.c: no character
 * outside ASCII, no number) refuses in a name, and what means something in unit files (systemd.syntax(7): quotes, the
 * backslash; systemd.network(5), Name=: patterns, and `!` for all others).
 */
const unusable = /[^\x21-\x7E]|[/:%*?[\]!"'\\]|^\d+$/u;

export function* checkName(name: string, place: Place): Generator<Violation> {
  if (name === '') yield at(place, 'name', 'has no name');
  if (name.startsWith('_')) yield at(place, 'name', 'name cannot begin with an underscore');
  if (Buffer.byteLength(name) > longestName) {
    yield at(place, 'name', `name '${name}' cannot be longer than ${longestName} characters`);
  }
  if (unusable.test(name) || name === '.' || name === '..' || name.startsWith('-')) {
    yield at(place, 'name', `name '${name}' has characters that a device name cannot have`);
  }
  if (name === 'lo' || name === 'all' || name === 'default')
    yield at(place, 'name', `name '${name}' is used by the system itself`);
}

export function* checkUniqueNames(config: SystemNetworkConfig): Generator<Violation> {
  const seen = new Set<string>();
  for (const kind of ['interfaces', 'bonds', 'vlans', 'wireguard'] as const) {
    for (const [index, { name }] of config[kind].entries()) {
      if (name !== '' && seen.has(name)) {
        yield {
          field: `config.${kind}[${index}].name`,
          message: `duplicate interface/bond/vlan/wireguard name: ${name}`,
        };
      }
      seen.add(name);
    }
  }
}

/**
 * The settings of a bond's members are in files named after the bond and the member's number, which a bond called
 * like that would need for its own.
 */
export function* checkMemberFiles({ bonds }: SystemNetworkConfig): Generator<Violation> {
  const members = new Map(bonds.map(({ name, members: { length } }) => [name, length]));
  for (const [index, { name }] of bonds.entries()) {
    const [, other = '', number = ''] = /^(.+)-dev(0|[1-9]\d*)$/u.exec(name) ?? [];
    if (Number(number) >= (members.get(other) ?? 0)) continue;
    yield {
      field: `config.bonds[${index}].name`,
      message: `bond ${index} name '${name}' is needed for member ${number} of bond '${other}'`,
    };
  }
}
