import { describe, expect, it } from 'vitest';
import * as rest from '../generated/rest/index.ts';
import { FieldError, fromRest } from './decode.ts';
import { parseRestJson } from './parse.ts';
import type { Structure } from './structure.ts';

const config = rest.network.SetConfigRequest;

function errorOf(structure: Structure, value: unknown): FieldError | undefined {
  try {
    fromRest(structure, value);
  } catch (error) {
    if (error instanceof FieldError) return error;
    throw error;
  }
  return undefined;
}

describe('fromRest', () => {
  it('keeps an absent value apart from a zero one where the message can', () => {
    const { config: read } = fromRest(config, {
      config: { interfaces: [{ name: 'a', mtu: 0 }, { name: 'b' }] },
    });
    expect(read?.interfaces.map(({ mtu }) => mtu)).toEqual([0, undefined]);
    expect(fromRest(rest.storage.SetConfigRequest, { config: {} }).config?.scrub_schedule).toBeUndefined();
    expect(fromRest(rest.storage.SetConfigRequest, {}).config).toBeUndefined();
  });

  it('takes null for absent', () => {
    const nulls = {
      config: { dns: null, interfaces: null, proxy: { servers: null }, confirmation_timeout: null },
    };
    expect(fromRest(config, nulls)).toEqual(fromRest(config, { config: { proxy: {} } }));
    expect(fromRest(rest.storage.WipeDriveRequest, { id: null, secure_wipe: null })).toEqual({
      id: '',
      secure_wipe: false,
    });
  });

  it('ignores keys that the structure does not have, at every level', () => {
    const body = { colour: 'red', config: { interfaces: [{ name: 'a', hwaddr: 'b', colour: { x: 1 } }] } };
    expect(fromRest(config, body)).toEqual(
      fromRest(config, { config: { interfaces: [{ name: 'a', hwaddr: 'b' }] } }),
    );
  });

  it('rejects unknown keys where told to, naming them', () => {
    const seed = { version: '1', interfaces: [{ name: 'a', colour: 'red' }] };
    expect(() => fromRest(rest.seeds.Network, seed, { unknownKeys: 'reject' })).toThrow(
      new FieldError('interfaces[0].colour', 'is not a known key'),
    );
  });

  it.each([
    ['config.interfaces[0].mtu', 'must be an integer', { config: { interfaces: [{ mtu: '1500' }] } }],
    ['config.interfaces[0].mtu', 'must be an integer', { config: { interfaces: [{ mtu: 1.5 }] } }],
    [
      'config.interfaces[0].mtu',
      'must be between -2147483648 and 2147483647',
      { config: { interfaces: [{ mtu: 2 ** 31 }] } },
    ],
    ['config.interfaces[1].name', 'must be a string', { config: { interfaces: [{}, { name: 1 }] } }],
    [
      'config.interfaces[0].addresses[1]',
      'must be a string',
      { config: { interfaces: [{ addresses: ['', null] }] } },
    ],
    ['config.interfaces[0]', 'must be an object', { config: { interfaces: [null] } }],
    ['config.interfaces[0].lldp', 'must be true or false', { config: { interfaces: [{ lldp: 'yes' }] } }],
    ['config.interfaces', 'must be a list', { config: { interfaces: {} } }],
    ['config.dns', 'must be an object', { config: { dns: [] } }],
    ['config.proxy.servers', 'must be an object', { config: { proxy: { servers: [] } } }],
    [
      'config.proxy.servers.a.use_tls',
      'must be true or false',
      { config: { proxy: { servers: { a: { use_tls: 1 } } } } },
    ],
    ['', 'must be an object', ['config']],
  ])('says that %s %s', (field, reason, body) => {
    const error = errorOf(config, body);
    expect(error).toMatchObject({ field, reason });
    expect(error?.message).toBe(field === '' ? reason : `${field}: ${reason}`);
  });

  it('reads 64-bit integers exactly and refuses larger ones', () => {
    const read = (quota: string): bigint =>
      fromRest(rest.storage.CreateVolumeRequest, parseRestJson(`{"quota":${quota}}`)).quota;
    expect(read('9223372036854775807')).toBe(2n ** 63n - 1n);
    expect(read('10737418240')).toBe(10_737_418_240n);
    expect(() => read('9223372036854775808')).toThrow(
      'quota: must be between -9223372036854775808 and 9223372036854775807',
    );
    expect(() => read('1e300')).toThrow('quota: must be between');
    expect(() => read('9'.repeat(5000))).toThrow('quota: must be an integer');
  });

  it('takes a log level as its name or its number', () => {
    expect(fromRest(rest.system.DebugTUI, { level: 'WARN', message: 'm' }).level).toBe('WARN');
    expect(fromRest(rest.system.DebugTUI, { level: -4, message: 'm' }).level).toBe('-4');
    expect(() => fromRest(rest.system.DebugTUI, { level: 1.5 })).toThrow('level: must be a string');
  });

  it('takes free JSON as it is', () => {
    const seeds = { network: { interfaces: [{ name: 'a' }] }, gone: null };
    expect(fromRest(rest.backup.SystemReset, { seeds }).seeds).toEqual(seeds);
    expect(fromRest(rest.applications.ApplicationOpenFGAConfig, { sync: { a: [1] } }).sync).toEqual({
      a: [1],
    });
    expect(() => fromRest(rest.applications.ApplicationOpenFGAConfig, { sync: [] })).toThrow(
      'sync: must be an object',
    );
  });

  it('takes the timestamp that was never set for an unset one', () => {
    const state = { last_check: '0001-01-01T00:00:00Z' };
    expect(fromRest(rest.update.SystemUpdateState, state).last_check).toBe('');
  });

  it('takes no value from what an object inherits', () => {
    const body: unknown = Object.create({ id: 'inherited' });
    expect(fromRest(rest.storage.WipeDriveRequest, body).id).toBe('');
  });
});
