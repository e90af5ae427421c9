import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BODIES } from '../../tools/bodies.ts';
import { fromRest, type FieldError } from '../rest/decode.ts';
import { parseRestJson } from '../rest/parse.ts';
import { restJson } from '../rest/encode.ts';
import { messagesOf } from '../rest/structures.fixture.ts';
import * as bodies from './bodies.ts';
import { validateBody, type Body, type Validated } from './validate.ts';

/** Field and reason of everything that is wrong. */
function violations<T extends object>(body: Body<T>, value: unknown): [string, string][] {
  const result = validateBody(body, value);
  return result.valid ? [] : result.violations.map(({ field, reason }) => [field, reason]);
}

/** What the client is told. */
function textOf<T extends object>(body: Body<T>, value: unknown): string | undefined {
  const result = validateBody(body, value);
  return result.valid ? undefined : result.violations[0].text;
}

/** All bodies; their types differ, which doesn't matter here. */
const allBodies = Object.entries(bodies).flatMap(([name, value]) =>
  ('dto' in value ? [['', value] as const] : Object.entries(value)).map(
    ([kind, body]) => [`${name} ${kind}`.trim(), body as unknown as Body<object>] as const,
  ),
);

describe('validateBody', () => {
  it('gives the message of a valid body and ignores unknown keys', () => {
    const result = validateBody(
      bodies.networkConfig,
      parseRestJson(
        '{"colour":1,"config":{"interfaces":[{"name":"enp5s0","hwaddr":"enp5s0","addresses":["dhcp4"],"x":{}}],' +
          '"proxy":{"servers":{"p":{"host":"proxy:3128","auth":"anonymous","use_tls":false}}}}}',
      ),
    );
    expect(result).toMatchObject({
      valid: true,
      message: {
        config: {
          interfaces: [{ name: 'enp5s0', hwaddr: 'enp5s0', addresses: ['dhcp4'], mtu: undefined }],
          proxy: { servers: { p: { host: 'proxy:3128' } } },
        },
      },
    });
  });

  it('names every wrong field by its path', () => {
    const config = {
      interfaces: [{ name: 'a' }, { name: 5, mtu: '1500', addresses: ['dhcp4', 7], routes: [{ to: [] }] }],
      vlans: 'none',
      dns: [],
      proxy: { servers: { corp: { host: 1 }, other: 'x' } },
      time: { ntp_servers: 'pool.ntp.org' },
    };
    expect(violations(bodies.networkConfig, { config }).sort()).toEqual([
      ['config.dns', 'must be an object'],
      ['config.interfaces[1].addresses[1]', 'must be a string'],
      ['config.interfaces[1].mtu', 'must be an integer'],
      ['config.interfaces[1].name', 'must be a string'],
      ['config.interfaces[1].routes[0].to', 'must be a string'],
      ['config.proxy.servers.corp.host', 'must be a string'],
      ['config.proxy.servers.other', 'must be an object'],
      ['config.time.ntp_servers', 'must be a list'],
      ['config.vlans', 'must be a list'],
    ]);
  });

  it.each([
    ['a list', []],
    ['a string', 'x'],
    ['null', null],
    ['a number', 5],
  ])('refuses %s as a body', (_what, value) => {
    expect(textOf(bodies.networkConfig, value)).toBe('request body: must be an object');
  });

  it('refuses null and lists among objects', () => {
    expect(violations(bodies.networkConfig, { config: { interfaces: [null] } })).toEqual([
      ['config.interfaces[0]', 'must be an object'],
    ]);
    expect(violations(bodies.networkConfig, { config: { interfaces: [[]] } })).toEqual([
      ['config.interfaces[0]', 'must be an object'],
    ]);
  });

  it('knows the range of integers', () => {
    const port = (value: unknown): [string, string][] =>
      violations(bodies.addonConfigs.iscsi, { config: { targets: [{ port: value }] } });
    expect(port(3260)).toEqual([]);
    expect(port(2 ** 31)).toEqual([['config.targets[0].port', 'must be between -2147483648 and 2147483647']]);
    expect(port(parseRestJson('99999999999999999999'))).toEqual(port(2 ** 31));
    const quota = (text: string): unknown =>
      validateBody(
        bodies.createVolume,
        parseRestJson(`{"pool":"p","name":"n","use":"incus","quota":${text}}`),
      );
    expect(quota('9007199254740993')).toMatchObject({ valid: true, message: { quota: 9007199254740993n } });
    expect(quota('1e30')).toMatchObject({ valid: false, violations: [{ field: 'quota' }] });
  });

  it('says no more than helps about a body that is wrong all over', () => {
    const interfaces = Array.from({ length: 1000 }, () => ({ name: 1 }));
    expect(violations(bodies.networkConfig, { config: { interfaces } })).toHaveLength(20);
  });

  it.each([
    ['objects', { interfaces: Array.from({ length: 200_000 }, () => ({})) }],
    ['strings', { time: { ntp_servers: Array.from({ length: 200_000 }, () => 1) } }],
    [
      'servers',
      { proxy: { servers: Object.fromEntries(Array.from({ length: 30_000 }, (_, i) => [i, {}])) } },
    ],
    ['fields', { interfaces: Array.from({ length: 9_000 }, () => ({ name: 1, mtu: 'x' })) }],
  ])('refuses more %s than it could check', (_what, config) => {
    expect(textOf(bodies.networkConfig, { config })).toBe('request body: has more than 20000 values');
  });

  it('takes no key of an object for more than a key', () => {
    for (const value of [5, 'x', {}, [], null]) {
      const odd = { constructor: value, then: value, toString: value, hasOwnProperty: value, length: 1 };
      const seeds = { network: odd, constructor: odd };
      expect(validateBody(bodies.factoryReset, { seeds, ...odd })).toMatchObject({
        valid: true,
        message: { seeds },
      });
      const config = {
        interfaces: [{ name: 'a', ...odd }],
        proxy: { servers: { constructor: { host: 'h' } }, ...odd },
      };
      expect(validateBody(bodies.networkConfig, { config, ...odd })).toMatchObject({
        valid: true,
        message: { config: { proxy: { servers: { constructor: { host: 'h' } } } } },
      });
    }
  });

  it('leaves what the appliance derives out of the body', () => {
    expect(violations(bodies.addonConfigs.lvm, { config: { enabled: true }, state: { pvs: [] } })).toEqual(
      [],
    );
  });

  it.each(allBodies)('accepts as %s whatever of its type the API itself writes', (_name, body) => {
    const typesOnly = { ...body, rules: [] };
    fc.assert(
      fc.property(messagesOf(body.structure), (message) => {
        const value = parseRestJson(restJson(body.structure, message));
        expect(validateBody(typesOnly, value)).toEqual({ valid: true, message });
      }),
      { numRuns: 20 },
    );
  });

  it.each(allBodies)('accepts as %s exactly what can become its message', (_name, body) => {
    const typesOnly = { ...body, rules: [] };
    fc.assert(
      fc.property(messagesOf(body.structure), fc.jsonValue(), fc.nat(), (message, wrong, where) => {
        const value = replaceSome(parseRestJson(restJson(body.structure, message)), wrong, where);
        let expected: FieldError | undefined;
        try {
          fromRest(body.structure, value);
        } catch (error) {
          expected = error as FieldError;
        }
        const result = validateBody(typesOnly, value);
        expect(result.valid).toBe(expected === undefined);
        if (!result.valid && expected !== undefined && expected.field !== '') {
          expect(result.violations.map(({ field }) => field)).toContain(expected.field);
        }
      }),
      { numRuns: 50 },
    );
  });
});

/** The value with one of its parts replaced. */
function replaceSome(value: unknown, replacement: unknown, where: number): unknown {
  const places: { holder: Record<string, unknown>; key: string }[] = [];
  const visit = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) return;
    const holder = part as Record<string, unknown>;
    for (const key of Object.keys(holder)) {
      places.push({ holder, key });
      visit(holder[key]);
    }
  };
  visit(value);
  const place = places[where % Math.max(places.length, 1)];
  if (place) place.holder[place.key] = replacement;
  return value;
}

/** A case of the tables below. */
function given<T extends object>(text: string, body: Body<T>, value: unknown): [string, () => Validated<T>] {
  return [text, () => validateBody(body, value)];
}

describe('the rules of requests', () => {
  const nic = { name: 'enp5s0', hwaddr: 'enp5s0' };

  it.each([
    given('missing application name', bodies.applicationInstall, {}),
    given('at least one trusted client TLS certificate must be defined', bodies.fallbackListener, {
      config: {},
    }),
    given('network configuration has no devices defined', bodies.networkConfig, {}),
    given('network configuration has no devices defined', bodies.networkConfig, { config: null }),
    given('network configuration has no devices defined', bodies.networkConfig, {
      config: { wireguard: [{ name: 'wg0' }] },
    }),
    given(
      'invalid confirmation timeout provided: time: missing unit in duration "10"',
      bodies.networkConfig,
      { config: { interfaces: [nic], confirmation_timeout: '10' } },
    ),
    given('confirmation timeout must be greater than zero', bodies.networkConfig, {
      config: { interfaces: [nic], confirmation_timeout: '0s' },
    }),
    given(
      'invalid default confirmation timeout provided: time: invalid duration "soon"',
      bodies.networkConfig,
      { config: { interfaces: [nic], default_confirmation_timeout: 'soon' } },
    ),
    given('a provider name must be specified', bodies.providerConfig, { config: { config: {} } }),
    given('no encryption key provided', bodies.securityConfig, { config: { custom_ca_certs: [] } }),
    given('invalid cron expression provided for scrub schedule', bodies.storageConfig, {}),
    given('invalid cron expression provided for scrub schedule', bodies.storageConfig, {
      config: { scrub_schedule: '' },
    }),
    given('no pool name provided', bodies.deletePool, {}),
    given('no pool name provided', bodies.scrubPool, {}),
    given('no pool name provided', bodies.trimPool, {}),
    given('no drive specified', bodies.wipeDrive, { secure_wipe: true }),
    given('no drive specified', bodies.encryptDrive, {}),
    given('no drive specified', bodies.importEncryptedDrive, {}),
    given('missing pool name and type', bodies.importPool, { name: 'p' }),
    given("unsupported pool type 'lvm'", bodies.importPool, { name: 'p', type: 'lvm' }),
    given('no pool name provided', bodies.createVolume, {}),
    given('invalid pool name provided', bodies.createVolume, { pool: 'a/b' }),
    given('no volume name provided', bodies.createVolume, { pool: 'p' }),
    given('invalid volume name provided', bodies.createVolume, { pool: 'p', name: '../v' }),
    given('no volume use provided', bodies.createVolume, { pool: 'p', name: 'v' }),
    given('invalid volume use provided', bodies.createVolume, { pool: 'p', name: 'v', use: 'ceph' }),
    given('no pool name provided', bodies.deleteVolume, {}),
    given('invalid volume name provided', bodies.deleteVolume, { pool: 'p', name: 'a/b' }),
    given('invalid update check frequency: time: invalid duration ""', bodies.updateConfig, { config: {} }),
    given('invalid update check frequency: must be a positive value', bodies.updateConfig, {
      config: { check_frequency: '-1h' },
    }),
    given('invalid migration window: end time is before start time', bodies.updateConfig, {
      config: {
        check_frequency: '6h',
        maintenance_windows: [
          {
            start_day_of_week: 'Monday',
            start_hour: 5,
            end_day_of_week: 'Monday',
            end_hour: 4,
            end_minute: 59,
          },
        ],
      },
    }),
    given(
      'invalid migration window: both StartDayOfWeek and EndDayOfWeek must be provided',
      bodies.updateConfig,
      { config: { check_frequency: 'never', maintenance_windows: [{}, { start_day_of_week: 'Monday' }] } },
    ),
    given('missing registration token', bodies.generateRegistration, {}),
    given('no log message provided', bodies.tuiMessage, { level: 'INFO' }),
  ])('answers "%s" in the contract\'s words', (text, validate) => {
    const result = validate();
    expect(result.valid ? undefined : result.violations[0].text).toBe(text);
  });

  it.each([
    given('a network with a bond only', bodies.networkConfig, {
      config: { bonds: [{ name: 'b', mode: '802.3ad' }] },
    }),
    given('a confirmation timeout', bodies.networkConfig, {
      config: { interfaces: [nic], confirmation_timeout: '1m30s' },
    }),
    given('a storage schedule', bodies.storageConfig, { config: { scrub_schedule: '0 4 * * 0' } }),
    given('a volume', bodies.createVolume, { pool: 'p', name: 'v', use: 'linstor' }),
    given('updates that are never checked for', bodies.updateConfig, {
      config: { check_frequency: 'never' },
    }),
    given('a window over midnight', bodies.updateConfig, {
      config: { check_frequency: '0', maintenance_windows: [{ start_hour: 23, end_hour: 2 }] },
    }),
    given('an empty request for a check', bodies.updateCheck, {}),
  ])('accepts %s', (_what, validate) => {
    expect(validate()).toMatchObject({ valid: true });
  });
});

describe('bodies', () => {
  it('are what the classes were generated for', () => {
    expect(allBodies.map(([, body]) => body.structure.name).sort()).toEqual(
      BODIES.map(({ message }) => message).sort(),
    );
  });
});
