/**
 * Validation against the contract's own words: a second, plain reading of its 31 rules that shares no code with the
 * first. What it refuses must be refused; what else is refused must be for one of the reasons that are named here.
 */
import type { SystemNetworkConfig } from '@incusos/contracts/network';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { configurations } from '../testing/configurations.ts';
import { validateConfig } from './validate.ts';

const hex = '[0-9a-fA-F]';
const macForm = new RegExp(`^${hex}{2}(?::${hex}{2}){5}$`, 'u');
const cidrForm = new RegExp(`^[.:0-9a-fA-F]+/[0-9]+$`, 'u');
const gatewayForm = new RegExp(`^[.:0-9a-fA-F]+$`, 'u');
const base64Form = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/u;
const isMethod = (text: string): boolean => text === 'dhcp4' || text === 'dhcp6' || text === 'slaac';
const between = (value: number | undefined, least: number, most: number): boolean =>
  (value ?? 0) >= least && (value ?? 0) <= most;
const repeats = (values: readonly string[]): boolean => new Set(values).size < values.length;

/** The numbers of the rules that a configuration with MACs breaks. */
function brokenRules({ interfaces, bonds, vlans, wireguard }: SystemNetworkConfig): number[] {
  const broken = new Set<number>();
  const rule = (number: number, kept: boolean): void => {
    if (!kept) broken.add(number);
  };
  const devices = [...interfaces, ...bonds, ...vlans, ...wireguard];
  rule(1, !repeats(devices.map(({ name }) => name).filter((name) => name !== '')));
  const members = bonds.flatMap((bond) => bond.members);
  const own = bonds.flatMap(({ hwaddr = '', members: mine }) =>
    hwaddr === '' || mine.some((mac) => mac.toLowerCase() === hwaddr.toLowerCase()) ? [] : [hwaddr],
  );
  const macs = [...interfaces.map(({ hwaddr }) => hwaddr), ...members, ...own];
  rule(2, !repeats(macs.map((mac) => mac.toLowerCase()).filter((mac) => mac !== '')));
  for (const device of devices) {
    const {
      name,
      mtu,
      roles,
      addresses,
      routes,
      firewall_rules: rules,
      required_for_online: online,
    } = device;
    rule(3, name !== '');
    rule(4, !name.startsWith('_'));
    rule(5, new TextEncoder().encode(name).length <= 13);
    rule(6, between(mtu, 0, 9000));
    rule(
      7,
      roles.every((role) => /^(?:management|cluster|instances|storage)$/u.test(role)),
    );
    rule(8, !repeats(roles));
    for (const { action, protocol = '', port = 0 } of rules) {
      rule(9, /^(?:accept|drop|reject)$/u.test(action));
      rule(10, /^(?:|tcp|udp)$/u.test(protocol));
      rule(11, between(port, 0, 65_535));
      rule(12, port === 0 || protocol !== '');
      rule(13, port !== 0 || protocol === '');
    }
    for (const address of [...addresses, ...routes.map(({ to }) => to)])
      rule(15, isMethod(address) || cidrForm.test(address));
    for (const { via } of routes) rule(16, isMethod(via) || gatewayForm.test(via));
    rule(17, /^(?:|ipv4|ipv6|both|any|no)$/u.test(online ?? ''));
  }
  for (const mac of [...interfaces.map(({ hwaddr }) => hwaddr), ...members]) {
    rule(18, mac !== '');
    rule(19, mac === '' || macForm.test(mac));
  }
  for (const { hwaddr = '', mode, members: mine } of bonds) {
    rule(19, hwaddr === '' || macForm.test(hwaddr));
    rule(20, /^(?:balance-(?:rr|xor|tlb|alb)|active-backup|broadcast|802\.3ad)$/u.test(mode));
    rule(21, mine.length > 0);
  }
  for (const { id, parent } of vlans) {
    rule(22, between(id, 0, 4094));
    rule(23, parent !== '');
    rule(
      24,
      [...interfaces, ...bonds].some(({ name }) => name === parent),
    );
  }
  for (const { private_key: key = '', port, peers } of wireguard) {
    rule(25, base64Form.test(key));
    rule(26, between(port, 0, 65_535));
    for (const {
      public_key: open,
      preshared_key: shared = '',
      allowed_ips: ips,
      persistent_keepalive: alive,
    } of peers) {
      rule(27, base64Form.test(open) && base64Form.test(shared));
      rule(
        28,
        ips.every((ip) => isMethod(ip) || cidrForm.test(ip)),
      );
      rule(29, between(alive, 0, 65_535));
    }
  }
  for (const { ethernet } of [...interfaces, ...bonds]) {
    const { wakeonlan_password: password = '' } = ethernet ?? {};
    rule(31, password === '' || macForm.test(password));
  }
  return [...broken];
}

/** What is refused beyond the rules, each for what systemd or the kernel would make of it. */
const reasonsBeyond = [
  /has characters that a device name cannot have$/u,
  /is used by the system itself$/u,
  /^bond \d+ name '.*' is needed for member \d+ of bond/u,
  /is already an address of /u,
  /can't be the address of a device$/u,
  /invalid IP address '.*'/u,
  /'To' invalid IP address '(?:dhcp4|dhcp6|slaac)'/u,
  /'Via' (?:can't be 'dhcp6'|'.*' (?:has no gateway|needs|can't be|is an address))/u,
  /MAC address '.*' can't be that of a single device$/u,
  /invalid MAC address/u,
  /ID \d+ is already used by vlan/u,
  /VLAN tag -?\d+ out of range$/u,
  /option \w+ (?:out of range|needs MII monitoring)$/u,
  /invalid (?:LACP rate|transmit hash policy|ARP target|buffer size)/u,
  /ARP (?:target|monitoring)/u,
  /unsupported wake-on-lan mode/u,
  /bad address "/u,
  /(?:private|public|preshared) key/u,
  /can't be used on a tunnel$/u,
  /invalid endpoint/u,
  /^invalid (?:hostname|domain|search domain|name server|NTP server)/u,
  /^unknown time zone/u,
];

interface Junk {
  readonly text: string;
  readonly number: number;
}

const junk: fc.Arbitrary<Junk> = fc.record({
  text: fc.constantFrom(
    ...['', ' ', 'x', '_x', 'dhcp4', 'dhcp6', 'slaac', 'abcdefghijklmn'],
    ...[
      'äöüäöüä',
      '999.1.1.1/24',
      '192.0.2.1/24',
      '192.0.2.1',
      '::/0',
      '0.0.0.0/0',
      '2001:db8::1',
      'fe80::1%x',
    ],
    ...['a/b', '!x', '42', 'lo', 'maybe', 'boss', '00:00:00:00:00:00', '10:66:6A:00:00:01'],
    ...['10:66:6a:00:00:02', '10-66-6a-00-00-01', 'magic', 'active-backup'],
  ),
  number: fc.constantFrom(-1, 0, 1, 4094, 4095, 9000, 9001, 65_535, 65_536, 2 ** 31 - 1),
});

/** Every place in a configuration that holds a text or a number, and every list. */
function placesOf(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (Array.isArray(value))
    return [path, ...value.flatMap((one: unknown, index) => placesOf(one, [...path, index]))];
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([key, inner]) => placesOf(inner, [...path, key]));
  return typeof value === 'string' || typeof value === 'number' ? [path] : [];
}

/** The configuration with another value in one place, of the same type; a list gets its first entry again, or loses all. */
function spoiled(config: SystemNetworkConfig, pick: number, { text, number }: Junk): SystemNetworkConfig {
  const copy: unknown = structuredClone(config);
  const places = placesOf(copy);
  const path = places[pick % Math.max(1, places.length)] ?? [];
  let holder: unknown = copy;
  for (const key of path.slice(0, -1)) holder = (holder as Record<string | number, unknown>)[key];
  const last = path.at(-1);
  if (last === undefined) return config;
  const record = holder as Record<string | number, unknown>;
  const old = record[last];
  if (Array.isArray(old))
    record[last] = number < 0 ? [] : [...(old as unknown[]), ...(old as unknown[]).slice(0, 1)];
  else record[last] = typeof old === 'number' ? number : text;
  return copy as SystemNetworkConfig;
}

describe('validation', () => {
  it('takes nothing that the contract refuses, and refuses nothing else but for the reasons beyond it', () => {
    // Drawing one takes longer than spoiling it in ten ways.
    const drawn = fc.sample(configurations, 25);
    const seen = { taken: 0, refused: 0, beyond: 0 };
    fc.assert(
      fc.property(
        fc.constantFrom(...drawn),
        fc.array(fc.tuple(fc.nat(), junk), { maxLength: 3 }),
        (config, changes) => {
          const draft = changes.reduce((now, [pick, value]) => spoiled(now, pick, value), config);
          const rules = brokenRules(draft);
          const messages = [...validateConfig(draft, 'strict')].map(({ message }) => message);
          if (rules.length > 0) {
            seen.refused += 1;
            expect(messages.length, `rules ${rules.join(', ')} are broken`).toBeGreaterThan(0);
          } else if (messages.length > 0) {
            seen.beyond += 1;
            for (const message of messages)
              expect(
                reasonsBeyond.some((reason) => reason.test(message)),
                message,
              ).toBe(true);
          } else seen.taken += 1;
        },
      ),
      { numRuns: 1500 },
    );
    // Or else nothing was tried.
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(5);
  }, 180_000);
});
