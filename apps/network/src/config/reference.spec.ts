/** Every example of the reference is a configuration that the machine takes, and every field is explained and shown. */
import { readFileSync } from 'node:fs';
import { bodies, validateBody } from '@incusos/contracts/dto';
import {
  SystemNetworkBond,
  SystemNetworkBondOptions,
  SystemNetworkBridge,
  SystemNetworkChange,
  SystemNetworkConfig,
  SystemNetworkDNS,
  SystemNetworkEthernet,
  SystemNetworkFirewallRule,
  SystemNetworkInterface,
  SystemNetworkInterfaceState,
  SystemNetworkPlan,
  SystemNetworkProxyRule,
  SystemNetworkProxyServer,
  SystemNetworkRoute,
  SystemNetworkState,
  SystemNetworkTime,
  SystemNetworkVLAN,
  SystemNetworkWireguard,
  SystemNetworkWireguardPeer,
} from '@incusos/contracts/network';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { renderFiles } from '../render/render.ts';
import { timeoutOf } from './confirmation-timeout.ts';
import { normalizeConfig } from './normalize.ts';
import { resolveNames } from './resolve-names.ts';
import { validateConfig } from './validate.ts';
import { configWarnings } from './warnings.ts';

const reference = readFileSync(new URL('../../../../docs/reference/network.md', import.meta.url), 'utf8');
const examples = [...reference.matchAll(/```yaml\n([\s\S]*?)```/gu)].map(([, text = '']) => text);

/** The cards that the examples call by name. */
const cards = [5, 6].map((bus) => ({
  name: `enp${bus}s0`,
  otherNames: [],
  mac: `10:66:6a:00:00:0${bus - 4}`,
  maxMtu: 9000,
}));

/** What stands in the example, as it would arrive. */
function received(text: string): SystemNetworkConfig {
  const result = validateBody(bodies.networkConfig, parse(text));
  if (!result.valid) throw new Error(result.violations.map(({ text: problem }) => problem).join('; '));
  const { config } = result.message;
  if (config === undefined) throw new Error('there is no config');
  return config;
}

describe('an example of the reference', () => {
  it.each(examples)('is taken as it is, and made into files (%#)', (text) => {
    const sent = received(text);
    timeoutOf(sent);
    const problems = (config: SystemNetworkConfig, pass: 'loose' | 'strict'): string[] =>
      [...validateConfig(config, pass)].map(({ field, message }) => `${field}: ${message}`);
    expect(problems(normalizeConfig(sent), 'loose')).toEqual([]);
    const config = resolveNames(normalizeConfig(sent), { cards, configured: undefined });
    expect(problems(config, 'strict')).toEqual([]);
    expect(renderFiles(config, new Map()).size).toBeGreaterThan(0);
    expect([...configWarnings(config)].map(({ field, message }) => `${field}: ${message}`)).toEqual([]);
  });

  it.each(examples)('has no key that the API does not know (%#)', (text) => {
    const known = new Set(Object.values(fieldsOf).flatMap(({ names }) => names));
    const walk = (value: unknown, path: string): void => {
      if (Array.isArray(value)) value.forEach((one: unknown) => walk(one, path));
      else if (typeof value === 'object' && value !== null) {
        for (const [key, inner] of Object.entries(value)) {
          if (!path.endsWith('.servers')) expect(known, `${path}.${key}`).toContain(key);
          walk(inner, `${path}.${key}`);
        }
      }
    };
    walk((parse(text) as { config: unknown }).config, 'config');
  });
});

const shared = [...['name', 'addresses', 'routes', 'mtu', 'required_for_online', 'roles', 'firewall_rules']];

/** By structure: the chapter that explains it, and whether examples show it. */
const fieldsOf: Readonly<Record<string, { chapter: string; names: readonly string[]; shown: boolean }>> = {
  config: { chapter: '## `config`', names: Object.keys(SystemNetworkConfig.create()), shown: true },
  proxy: { chapter: '## proxy', names: ['servers', 'rules'], shown: true },
  device: { chapter: '### What every device has', names: shared, shown: true },
  route: {
    chapter: '### What every device has',
    names: Object.keys(SystemNetworkRoute.create()),
    shown: true,
  },
  interface: {
    chapter: '## interfaces',
    names: Object.keys(SystemNetworkInterface.create()).filter((name) => !shared.includes(name)),
    shown: true,
  },
  bridge: { chapter: '## interfaces', names: Object.keys(SystemNetworkBridge.create()), shown: true },
  ethernet: { chapter: '## interfaces', names: Object.keys(SystemNetworkEthernet.create()), shown: true },
  bond: {
    chapter: '## bonds',
    names: Object.keys(SystemNetworkBond.create()).filter((name) => !shared.includes(name)),
    shown: true,
  },
  options: { chapter: '## bonds', names: Object.keys(SystemNetworkBondOptions.create()), shown: true },
  vlan: {
    chapter: '## vlans',
    names: Object.keys(SystemNetworkVLAN.create()).filter((name) => !shared.includes(name)),
    shown: true,
  },
  wireguard: {
    chapter: '## wireguard',
    names: Object.keys(SystemNetworkWireguard.create()).filter((name) => !shared.includes(name)),
    shown: true,
  },
  peer: { chapter: '## wireguard', names: Object.keys(SystemNetworkWireguardPeer.create()), shown: true },
  rule: { chapter: '## firewall rules', names: Object.keys(SystemNetworkFirewallRule.create()), shown: true },
  dns: { chapter: '## dns', names: Object.keys(SystemNetworkDNS.create()), shown: true },
  time: { chapter: '## time', names: Object.keys(SystemNetworkTime.create()), shown: true },
  server: { chapter: '## proxy', names: Object.keys(SystemNetworkProxyServer.create()), shown: true },
  destination: { chapter: '## proxy', names: Object.keys(SystemNetworkProxyRule.create()), shown: true },
  plan: { chapter: '### Dry run', names: Object.keys(SystemNetworkPlan.create()), shown: false },
  change: { chapter: '## `state`', names: Object.keys(SystemNetworkChange.create()), shown: false },
  state: { chapter: '## `state`', names: Object.keys(SystemNetworkState.create()), shown: false },
  device_state: {
    chapter: '## `state`',
    names: Object.keys(SystemNetworkInterfaceState.create()),
    shown: false,
  },
};

/** Keys that stand in an example, at any depth. */
function keysOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(keysOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...keysOf(inner)]);
}

describe('the reference', () => {
  const shownKeys = new Set(examples.flatMap((text) => keysOf(parse(text))));

  it.each(Object.entries(fieldsOf))('explains every field of %s', (_structure, { chapter, names, shown }) => {
    const level = /^#+/u.exec(chapter)?.[0] ?? '';
    const text = reference.split(`\n${chapter}\n`)[1]?.split(new RegExp(`\n#{2,${level.length}} `, 'u'))[0];
    expect(text, chapter).toBeDefined();
    expect(names).not.toEqual([]);
    for (const name of names) {
      expect(text, name).toContain(`\`${name}\``);
      if (shown) expect(shownKeys, name).toContain(name);
    }
  });
});
