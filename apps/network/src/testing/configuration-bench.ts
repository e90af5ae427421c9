/**
 * How much processor time it takes to check a large configuration and to make its files; prints the figures as JSON. A program of its
 * own, so that nothing else has warmed it up: `first` is what a request meets that comes after a start.
 */
import { SystemNetworkConfig } from '@incusos/contracts/network';
import { validateConfig } from '../config/validate.ts';
import { configWarnings } from '../config/warnings.ts';
import { renderFiles } from '../render/render.ts';
import { cardMac } from './configurations.ts';

const counts = { interfaces: 64, bonds: 16, vlans: 200 };
const rounds = 50;

/** Cards, bonds of two more cards each, and VLANs on all of them, with addresses and routes. */
function largeConfig(): SystemNetworkConfig {
  let cards = 0;
  const card = (): string => cardMac((cards += 1));
  const list = <T>(length: number, make: (index: number) => T): T[] =>
    Array.from({ length }, (_, index) => make(index));
  const device = (second: number, index: number): object => ({
    addresses: [`10.${second}.${index}.2/24`, `2001:db8:${second}:${index}::2/64`, 'slaac'],
    routes: [{ to: `172.${16 + (index % 16)}.${index}.0/24`, via: `10.${second}.${index}.1` }],
    firewall_rules: [{ action: 'accept', protocol: 'tcp', port: 8443 }, { action: 'drop' }],
    required_for_online: 'ipv4',
  });
  const interfaces = list(counts.interfaces, (index) => ({
    ...device(1, index),
    ...{ name: `lan${index}`, hwaddr: card(), vlan_tags: [10, 20, 30], lldp: true },
  }));
  const bonds = list(counts.bonds, (index) => ({
    ...device(2, index),
    ...{ name: `bond${index}`, mode: '802.3ad', members: [card(), card()] },
  }));
  const parents = [...interfaces, ...bonds];
  const vlans = list(counts.vlans, (index) => ({
    ...device(3, index),
    ...{ name: `vlan${index}`, id: 100 + index, parent: parents[index % parents.length]?.name ?? '' },
  }));
  return SystemNetworkConfig.fromPartial({
    ...{ interfaces, bonds, vlans },
    dns: { hostname: 'server1', domain: '', nameservers: ['192.0.2.1'], search_domains: ['example.org'] },
    time: { ntp_servers: ['ntp.example.org'], timezone: 'Europe/Berlin' },
  });
}

/** Milliseconds of processor time, which other work on the machine doesn't lengthen. */
function spent(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const config = largeConfig();
const limits = new Map<string, number>();
const times = { validate: [] as number[], warn: [] as number[], render: [] as number[] };
let files = 0;
for (let round = 0; round <= rounds; round += 1) {
  const began = spent();
  const problems = [...validateConfig(config, 'loose'), ...validateConfig(config, 'strict')];
  const validated = spent();
  const warnings = [...configWarnings(config, limits)];
  const warned = spent();
  files = renderFiles(config, limits).size;
  const rendered = spent();
  if (problems.length + warnings.length > 0)
    throw new Error(
      [...problems, ...warnings].map(({ field, message }) => `${field}: ${message}`).join('\n'),
    );
  times.validate.push(validated - began);
  times.warn.push(warned - validated);
  times.render.push(rendered - warned);
}
const figures = ([first = Number.NaN, ...later]: readonly number[]): { first: number; median: number } => ({
  first,
  median: later.toSorted((a, b) => a - b)[Math.floor(later.length / 2)] ?? Number.NaN,
});
process.stdout.write(
  `${JSON.stringify({
    ...counts,
    files,
    validate: figures(times.validate),
    warn: figures(times.warn),
    render: figures(times.render),
  })}\n`,
);
