import { emptyOf, type Field, fromRest, Structure } from '@incusos/contracts/rest';
import * as structures from '@incusos/contracts/rest/seeds';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { SeedError } from '../seed-error.ts';
import type { SeedMessages, SeedName } from '../seed-names.ts';
import { parseSeed } from './parse-seed.ts';

function parse<N extends SeedName>(
  name: N,
  text: string | Uint8Array,
  ending = 'yaml',
): Promise<SeedMessages[N]> {
  const content = typeof text === 'string' ? Buffer.from(text) : text;
  return parseSeed(name, { name: `${name}.${ending}`, content });
}

const networkYaml = `# Two cards, one of them a trunk.
version: "1"
interfaces:
  - name: mgmt
    hwaddr: 10:66:6a:1b:2c:3d
    mtu: 9000
    lldp: yes
    addresses: [dhcp4, slaac]
    required_for_online: no
    routes: &routes
      - {to: 10.0.0.0/8, via: 10.20.30.1}
  - name: trunk
    hwaddr: enp6s0
    vlan_tags: [10, 20]
    routes: *routes
dns:
  hostname: server01
  nameservers:
    - 10.20.30.1
time:
  timezone: Europe/Zurich
`;

const networkJson = JSON.stringify({
  version: '1',
  interfaces: [
    {
      name: 'mgmt',
      hwaddr: '10:66:6a:1b:2c:3d',
      mtu: 9000,
      lldp: true,
      addresses: ['dhcp4', 'slaac'],
      required_for_online: 'no',
      routes: [{ to: '10.0.0.0/8', via: '10.20.30.1' }],
    },
    {
      name: 'trunk',
      hwaddr: 'enp6s0',
      vlan_tags: [10, 20],
      routes: [{ to: '10.0.0.0/8', via: '10.20.30.1' }],
    },
  ],
  dns: { hostname: 'server01', nameservers: ['10.20.30.1'] },
  time: { timezone: 'Europe/Zurich' },
});

describe('a seed', () => {
  it('says the same in JSON and in YAML', async () => {
    const fromYaml = await parse('network', networkYaml, 'yml');
    expect(fromYaml).toMatchObject({
      version: '1',
      interfaces: [
        { name: 'mgmt', hwaddr: '10:66:6a:1b:2c:3d', mtu: 9000, lldp: true, required_for_online: 'no' },
        { name: 'trunk', vlan_tags: [10, 20], routes: [{ to: '10.0.0.0/8', via: '10.20.30.1' }] },
      ],
      time: { timezone: 'Europe/Zurich' },
      bonds: [],
      confirmation_timeout: undefined,
    });
    expect(await parse('network', networkJson, 'json')).toEqual(fromYaml);
  });

  it.each<[SeedName, string, object]>([
    ['applications', 'version: "1"\napplications: [{name: incus}]', { applications: [{ name: 'incus' }] }],
    [
      'incus',
      'apply_defaults: false\npreseed: {config: {core.https_address: ":8443", x: 12}}',
      { apply_defaults: false, preseed: { config: { 'core.https_address': ':8443', x: 12 } } },
    ],
    [
      'install',
      'force_reboot: true\ntarget: {id: nvme, min_size: 100GiB}',
      { force_reboot: true, target: { id: 'nvme', min_size: '100GiB' }, security: undefined },
    ],
    ['kernel', 'console: [{device: ttyS0, baud_rate: 115200}]', { console: [{ device: 'ttyS0' }] }],
    [
      'migration-manager',
      'trusted_client_certificates: [x]\npreseed: {system_network: {rest_server_port: 6443}}',
      { preseed: { system_network: { rest_server_port: 6443 } }, trusted_client_certificates: ['x'] },
    ],
    [
      'operations-center',
      'apply_defaults: true\npreseed: {system_settings: {a: [1, two, null]}}',
      { apply_defaults: true, preseed: { system_settings: { a: [1, 'two', null] } } },
    ],
    [
      'provider',
      'name: operations-center\nconfig: {server_url: "https://oc:7443", server_token: 4711}',
      { name: 'operations-center', config: { server_url: 'https://oc:7443', server_token: '4711' } },
    ],
    [
      'security',
      'custom_ca_certs:\n- |\n  PEM\n',
      { custom_ca_certs: ['PEM\n'], encryption_recovery_keys: [] },
    ],
    ['services', 'tailscale: {enabled: on, login_server: x}', { tailscale: { enabled: true } }],
    ['storage', 'pools: [{name: data, type: zfs-raid1, devices: [a, b]}]', { pools: [{ name: 'data' }] }],
    [
      'update',
      'auto_reboot: true\nchannel: testing',
      { auto_reboot: true, channel: 'testing', check_frequency: '' },
    ],
  ])('%s is read', async (name, yaml, expected) => {
    expect(await parse(name, yaml)).toMatchObject(expected);
  });

  it('takes a scalar of YAML as it is written where a string is meant', async () => {
    const seed = 'version: 1.10\nname: 0x10\nconfig: {a: 1e3, b: true, c: "no", d: 007}';
    expect(await parse('provider', seed)).toEqual({
      version: '1.10',
      name: '0x10',
      config: { a: '1e3', b: 'true', c: 'no', d: '007' },
    });
    await expect(parse('provider', '{"version": 1}', 'json')).rejects.toThrow(
      'provider.json: version: must be a string',
    );
  });

  it('keeps large integers of YAML exact', async () => {
    const { pools } = await parse('storage', 'pools: [{raw_pool_size_in_bytes: 9007199254740993}]');
    expect(pools[0]?.raw_pool_size_in_bytes).toBe(9_007_199_254_740_993n);
  });

  it.each<[SeedName, string, string, string]>([
    [
      'network',
      'yaml',
      'interfaces[0].adresses: is not a known key',
      'interfaces: [{name: a, adresses: []}]',
    ],
    [
      'network',
      'json',
      'interfaces[0].adresses: is not a known key',
      '{"interfaces":[{"name":"a","adresses":[]}]}',
    ],
    ['applications', 'yml', 'apps: is not a known key', 'apps: []'],
    ['applications', 'json', 'Applications: is not a known key', '{"Applications":[]}'],
    ['applications', 'yaml', '__proto__: is not a known key', '__proto__: {name: x}'],
    ['applications', 'json', 'invalid JSON: the key __proto__ is not allowed', '{"__proto__":{}}'],
    ['install', 'yaml', 'security.missing_tpn: is not a known key', 'security: {missing_tpn: true}'],
    ['operations-center', 'yaml', 'preseed.network: is not a known key', 'preseed: {network: {}}'],
    ['network', 'yaml', 'interfaces[0].mtu: must be an integer', 'interfaces: [{mtu: large}]'],
    ['network', 'yaml', 'dns: must be an object', 'dns: [a]'],
    ['update', 'yaml', 'auto_reboot: must be true or false', 'auto_reboot: maybe'],
    ['update', 'yaml', 'must be an object', '- a'],
    ['update', 'yaml', 'invalid YAML at line 2, column 1: duplicate key', 'channel: a\nchannel: b'],
    ['update', 'yaml', 'invalid YAML at line 2, column 1: multiple docs', 'a: 1\n---\nb: 2'],
    ['update', 'yaml', 'invalid YAML: an alias stands for nothing or for too much', 'channel: *gone'],
    ['update', 'yaml', 'invalid YAML: nested too deep', '&a [*a]'],
    ['update', 'yaml', 'invalid YAML at line 1', `a: ${'['.repeat(100_000)}`],
    ['update', 'json', 'invalid JSON: nested more than 64 levels deep', '['.repeat(100_000)],
    ['update', 'json', 'invalid JSON', '{"channel": "testing"'],
    ['network', 'json', 'unexpected end of file', ''],
    ['network', 'yaml', 'unexpected end of file', '# nothing yet\n'],
  ])('in %s.%s is refused: %s', async (name, ending, problem, text) => {
    const refused = parse(name, text, ending);
    await expect(refused).rejects.toThrow(SeedError);
    await expect(refused).rejects.toThrow(`${name}.${ending}: ${problem}`);
  });

  it('in another encoding is refused', async () => {
    await expect(parse('update', Buffer.from([0x61, 0xff]))).rejects.toThrow(
      'update.yaml: is not text in UTF-8',
    );
    expect(await parse('update', Buffer.from('\uFEFFchannel: testing'))).toMatchObject({
      channel: 'testing',
    });
  });

  it('can not make a small text stand for a huge one', async () => {
    const levels = Array.from(
      { length: 12 },
      (_, i) => `a${i}: &a${i} [${i === 0 ? 'x' : `*a${i - 1}, `.repeat(10)}]`,
    );
    await expect(parse('incus', `preseed:\n  ${levels.join('\n  ')}\n`)).rejects.toThrow(
      'incus.yaml: invalid YAML: an alias stands for nothing or for too much',
    );
  });

  it('quotes nothing of what it was given when it is refused', async () => {
    const texts = ['name: "secret', 'name: [secret', 'secret', 'config: {a: {b: secret}}', 'name: @secret'];
    for (const text of texts) {
      await expect(parse('provider', text)).rejects.toSatisfy((error) => !String(error).includes('secret'));
    }
  });

  it('for installing says everything by being there', async () => {
    expect(await parse('install', '')).toEqual(emptyOf(structures.Install));
    expect(await parse('install', '\n', 'json')).toEqual(emptyOf(structures.Install));
  });

  it('can not carry recovery keys', async () => {
    await expect(parse('security', 'encryption_recovery_keys: [abc]')).rejects.toThrow(
      'security.yaml: it is not possible to set encryption recovery key(s) via the security seed',
    );
    expect(await parse('security', 'encryption_recovery_keys: []')).toMatchObject({ custom_ca_certs: [] });
  });

  const seeds: readonly [SeedName, Structure][] = [
    ['network', structures.Network],
    ['services', structures.Services],
    ['storage', structures.Storage],
    ['incus', structures.Incus],
    ['provider', structures.Provider],
  ];
  it.each(seeds)('%s survives both formats whatever it says', async (name, structure) => {
    await fc.assert(
      fc.asyncProperty(valuesOf(structure), async (value) => {
        const expected = fromRest(structure, value);
        expect(await parse(name, JSON.stringify(value), 'json')).toEqual(expected);
        expect(await parse(name, stringify(value))).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });

  it('is never read as something it does not say', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.constantFrom('json', 'yaml'), async (text, ending) => {
        await parse('network', text, ending).catch((error: unknown) =>
          expect(error).toBeInstanceOf(SeedError),
        );
      }),
    );
  });
});

const text = fc.oneof(
  fc.string(),
  fc.constantFrom(
    'yes',
    '0x10',
    '1.0',
    '~',
    'null',
    '- a',
    'a: b',
    '"',
    '# x',
    ' x ',
    'a\nb\n',
    'true',
    '=',
    '<<',
  ),
);

/** REST values of a structure, every field present or not. */
function valuesOf(structure: Structure, depth = 3): fc.Arbitrary<object> {
  return fc.record(Object.fromEntries(structure.fields.map((field) => [field.key, fieldOf(field, depth)])), {
    requiredKeys: [],
  });
}

function fieldOf({ type, label }: Field, depth: number): fc.Arbitrary<unknown> {
  const one = depth > 0 || !(type instanceof Structure) ? elementOf(type, depth - 1) : fc.constant(null);
  if (label === 'list') return depth > 0 ? fc.array(one, { maxLength: 2 }) : fc.constant([]);
  if (label === 'map') return depth > 0 ? fc.dictionary(plainKey, one, { maxKeys: 2 }) : fc.constant({});
  return one;
}

const plainKey = fc.stringMatching(/^[a-z][a-z_.]{0,5}$/u);

function elementOf(type: Field['type'], depth: number): fc.Arbitrary<unknown> {
  if (type instanceof Structure) return valuesOf(type, depth);
  switch (type) {
    case 'string':
      return text;
    case 'bool':
      return fc.boolean();
    case 'double':
      return fc.double({ noDefaultInfinity: true, noNaN: true }).filter((value) => !Object.is(value, -0));
    case 'int32':
    case 'uint32':
    case 'int64':
    case 'uint64':
      return fc.nat();
    case 'value':
    case 'object':
      return fc.dictionary(plainKey, fc.oneof(text, fc.nat(), fc.boolean(), fc.constant(null)));
  }
}
