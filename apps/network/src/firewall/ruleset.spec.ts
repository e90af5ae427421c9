import { SystemNetworkConfig } from '@incusos/contracts/network';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderRuleset } from './ruleset.ts';

type Draft = Parameters<typeof SystemNetworkConfig.fromPartial>[0];

interface Rendered {
  readonly nftables: readonly Record<string, Record<string, Record<string, unknown>>>[];
}

const mac = (number: number): string => `10:66:6A:00:00:0${number}`;
const commands = (draft: Draft): Rendered['nftables'] =>
  (JSON.parse(renderRuleset(SystemNetworkConfig.fromPartial(draft))) as Rendered).nftables;

/** The rules of a chain, each as nft(8) writes it, near enough to be read. */
function rules(draft: Draft, chain: string): string[] {
  return commands(draft)
    .map((command) => command['add']?.['rule'])
    .filter((rule) => rule?.['chain'] === chain)
    .map((rule) => (rule?.['expr'] as Record<string, unknown>[]).map(words).join(' '));
}

function words(statement: Record<string, unknown>): string {
  const [[kind, content] = ['', null]] = Object.entries(statement);
  if (kind !== 'match') return kind;
  const { op, left, right } = content as {
    op: string;
    left: Record<string, Record<string, string>>;
    right: unknown;
  };
  const [name = '', about = {}] = Object.entries(left)[0] ?? [];
  const what =
    name === 'meta'
      ? about['key']
      : Object.values({ ...(name === 'ct' ? { name } : {}), ...about }).join(' ');
  return `${what} ${op === '!=' ? '!= ' : ''}${value(right)}`;
}

function value(right: unknown): string {
  if (Array.isArray(right)) return right.join(',');
  if (typeof right !== 'object' || right === null) return String(right);
  if ('set' in right) return `{ ${(right.set as unknown[]).join(', ')} }`;
  const { addr, len } = (right as { prefix: { addr: string; len: number } }).prefix;
  return `${addr}/${len}`;
}

const rule = { action: 'accept' };
const whole: Draft = {
  interfaces: [
    { name: 'lan', hwaddr: mac(1), strict_hwaddr: true, firewall_rules: [rule] },
    { name: 'dmz', hwaddr: mac(2) },
  ],
  bonds: [
    { name: 'pair', mode: 'active-backup', members: [mac(3), mac(4)], firewall_rules: [rule] },
    { name: 'own', mode: 'active-backup', hwaddr: mac(5), members: [mac(6)] },
  ],
  vlans: [{ name: 'cameras', id: 10, parent: 'lan', firewall_rules: [rule] }],
  wireguard: [{ name: 'site', firewall_rules: [rule] }],
};

describe('the packet filter', () => {
  it('is changed in the order in which nothing is ever let through in between', () => {
    const steps = commands(whole).map((command) => {
      const [[verb, content] = ['', {}]] = Object.entries(command);
      const [[kind, object] = ['', {}]] = Object.entries(content);
      return `${verb} ${kind} ${String(object['family'])} ${String(object['table'] ?? object['name'])}`;
    });
    expect([...new Set(steps)]).toEqual([
      'add table inet incus-osd',
      'add table bridge incus-osd',
      'add chain inet incus-osd',
      'add chain bridge incus-osd',
      'flush table inet incus-osd',
      'flush table bridge incus-osd',
      'add rule inet incus-osd',
      'add rule bridge incus-osd',
    ]);
  });

  it('has four chains that let through what no rule decides', () => {
    const chains = commands(whole).flatMap((command) => command['add']?.['chain'] ?? []);
    expect(chains).toEqual([
      {
        family: 'inet',
        table: 'incus-osd',
        name: 'input',
        type: 'filter',
        hook: 'input',
        prio: 0,
        policy: 'accept',
      },
      {
        family: 'inet',
        table: 'incus-osd',
        name: 'forward',
        type: 'filter',
        hook: 'forward',
        prio: 0,
        policy: 'accept',
      },
      {
        family: 'bridge',
        table: 'incus-osd',
        name: 'mac-filters',
        type: 'filter',
        hook: 'postrouting',
        prio: 0,
        policy: 'accept',
      },
      {
        family: 'bridge',
        table: 'incus-osd',
        name: 'conntrack-bypass',
        type: 'filter',
        hook: 'prerouting',
        prio: -300,
        policy: 'accept',
      },
    ]);
  });

  it('lets in what a network needs before the rules of devices that have any', () => {
    const devices = 'iifname { _vlan, _vpair, cameras, site }';
    expect(rules(whole, 'input')).toEqual([
      `${devices} ct state established,related accept`,
      `${devices} ct state invalid drop`,
      `${devices} ip protocol icmp accept`,
      `${devices} icmp type { echo-request, destination-unreachable, time-exceeded, parameter-problem } accept`,
      `${devices} icmpv6 type { echo-request, nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, nd-router-advert, mld-listener-query } accept`,
      'iifname _vlan accept',
      'iifname _vpair accept',
      'iifname cameras accept',
      'iifname site accept',
    ]);
  });

  it('has the rules in their order, with their source, protocol and port', () => {
    const firewall_rules = [
      { action: 'accept', source: '192.0.2.0/24', protocol: 'tcp', port: 22 },
      { action: 'drop', source: '192.0.2.7' },
      { action: 'accept', source: '2001:db8::/32', protocol: 'udp', port: 53 },
      { action: 'reject', source: '2001:db8::7' },
      { action: 'accept', protocol: 'tcp', port: 8443 },
      { action: 'drop' },
    ];
    expect(
      rules({ interfaces: [{ name: 'lan', hwaddr: mac(1), firewall_rules }] }, 'input').slice(5),
    ).toEqual([
      'iifname _vlan ip saddr 192.0.2.0/24 tcp dport 22 accept',
      'iifname _vlan ip saddr 192.0.2.7 drop',
      'iifname _vlan ip6 saddr 2001:db8::/32 udp dport 53 accept',
      'iifname _vlan ip6 saddr 2001:db8::7 reject',
      'iifname _vlan tcp dport 8443 accept',
      'iifname _vlan drop',
    ]);
  });

  it('lets a DHCPv6 lease in where one is asked for', () => {
    const closed = { addresses: ['dhcp6'], firewall_rules: [{ action: 'drop' }] };
    expect(rules({ interfaces: [{ name: 'lan', hwaddr: mac(1), ...closed }] }, 'input')).toContain(
      'iifname _vlan ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept',
    );
  });

  it('has no input rule where no device has one, which would only make the kernel follow every connection', () => {
    expect(rules({ interfaces: [{ name: 'lan', hwaddr: mac(1) }] }, 'input')).toEqual([]);
  });

  it('never routes between devices of the machine itself', () => {
    const devices = '{ _vlan, _vdmz, _vpair, _vown, cameras, site }';
    expect(rules(whole, 'forward')).toEqual([`iifname ${devices} oifname ${devices} drop`]);
  });

  it('lets frames out of a strict interface with its own address only', () => {
    expect(rules(whole, 'mac-filters')).toEqual([
      'oifname _p10666a000001 ether saddr != 10:66:6a:00:00:01 drop',
    ]);
  });

  it('follows no connection that only crosses a bridge', () => {
    expect(rules(whole, 'conntrack-bypass')).toEqual([
      'iifname { _i10666a000001, _p10666a000001, _i10666a000002, _p10666a000002, _i10666a000003, _bpair, _i10666a000005, _bown } notrack',
    ]);
  });

  it('has no rules without devices', () => {
    for (const chain of ['input', 'forward', 'mac-filters', 'conntrack-bypass'])
      expect(rules({}, chain)).toEqual([]);
  });

  it('is one transaction whatever a device is called', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 13 }), (name) => {
        const draft = { vlans: [{ name, id: 1, parent: 'p', firewall_rules: [rule] }] };
        const input = commands(draft).filter((command) => command['add']?.['rule']?.['chain'] === 'input');
        expect(input).toHaveLength(6);
        expect(JSON.stringify(input.at(-1))).toContain(JSON.stringify(name));
      }),
    );
  });
});
