import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as network from '../network.ts';
import * as storage from '../storage.ts';
import * as rest from '../generated/rest/index.ts';
import { emptyOf, fromRest } from './decode.ts';
import { restJson } from './encode.ts';
import { codecOf } from './messages.fixture.ts';
import { parseRestJson } from './parse.ts';
import { ALL_STRUCTURES, messagesOf } from './structures.fixture.ts';
import { ZERO_TEXTS } from './zero-texts.fixture.ts';

const structures = [...ALL_STRUCTURES.values()].map((structure) => [structure.name, structure] as const);

describe('REST JSON of every structure', () => {
  it('has a sample for each structure and none for others', () => {
    expect([...ALL_STRUCTURES.keys()].sort()).toEqual(Object.keys(ZERO_TEXTS).sort());
  });

  it.each(structures)('writes an unset %s as the API shows it', (name, structure) => {
    expect(restJson(structure, {})).toBe(ZERO_TEXTS[name]);
    expect(restJson(structure, emptyOf(structure))).toBe(ZERO_TEXTS[name]);
  });

  it.each(structures)('knows every field of the message %s and its type', (name, structure) => {
    const codec = codecOf(name);
    const fields = Object.keys(codec.decode(new Uint8Array()));
    expect(structure.fields.map((field) => field.name)).toEqual(fields);
    fc.assert(
      fc.property(messagesOf(structure), (message) => {
        expect(codec.decode(codec.encode(message).finish())).toEqual(message);
      }),
      { numRuns: 25 },
    );
  });

  it.each(structures)('reads back every %s that it writes', (_name, structure) => {
    fc.assert(
      fc.property(messagesOf(structure), (message) => {
        expect(fromRest(structure, parseRestJson(restJson(structure, message)))).toEqual(message);
      }),
      { numRuns: 25 },
    );
  });
});

describe('restJson', () => {
  it('leaves out what is empty, keeps the order of declaration and sorts maps by key', () => {
    const message = network.SystemNetwork.create({
      config: {
        dns: { hostname: 'server', domain: 'example.org', dns_over_tls: false },
        time: {},
        proxy: {
          servers: { b: { host: 'b', auth: 'anonymous' }, a: { host: 'a', auth: 'basic', username: 'u' } },
        },
        interfaces: [
          { name: 'enp5s0', hwaddr: '10:66:6a:00:00:01', mtu: 0, lldp: true, addresses: ['dhcp4', 'slaac'] },
        ],
        vlans: [{ name: 'v', id: 0, parent: 'enp5s0' }],
      },
      state: { interfaces: { enp5s0: { state: 'routable', stats: { rx_bytes: 2n ** 63n - 1n } } } },
    });
    expect(restJson(rest.network.SystemNetwork, message)).toBe(
      '{"config":{"dns":{"domain":"example.org","hostname":"server"},"time":{},' +
        '"proxy":{"servers":{"a":{"auth":"basic","host":"a","username":"u","use_tls":false},' +
        '"b":{"auth":"anonymous","host":"b","use_tls":false}}},' +
        '"interfaces":[{"addresses":["dhcp4","slaac"],"hwaddr":"10:66:6a:00:00:01","lldp":true,"name":"enp5s0"}],' +
        '"vlans":[{"id":0,"name":"v","parent":"enp5s0"}]},' +
        '"state":{"interfaces":{"enp5s0":{"state":"routable",' +
        '"stats":{"rx_bytes":9223372036854775807,"rx_errors":0,"tx_bytes":0,"tx_errors":0}}},' +
        '"configuration_in_process":false}}',
    );
  });

  it('writes what came over gRPC', () => {
    const drive = storage.SystemStorageDrive.create({
      id: '/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_incus_root',
      bus: 'scsi',
      capacity_in_bytes: 53_687_091_200n,
      boot: true,
      smart: { enabled: true, passed: true, data_units_read: 2n ** 60n },
    });
    const received = storage.SystemStorageDrive.decode(storage.SystemStorageDrive.encode(drive).finish());
    expect(restJson(rest.storage.SystemStorageDrive, received)).toBe(
      '{"id":"/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_incus_root","model_family":"","model_name":"",' +
        '"serial_number":"","bus":"scsi","capacity_in_bytes":53687091200,"boot":true,"multipath":false,' +
        '"removable":false,"remote":false,"smart":{"enabled":true,"passed":true,' +
        '"data_units_read":1152921504606846976}}',
    );
  });

  it('escapes no HTML', () => {
    const route = network.SystemNetworkRoute.create({ to: '<&>', via: '"\\\n' });
    expect(restJson(rest.network.SystemNetworkRoute, route)).toBe(String.raw`{"to":"<&>","via":"\"\\\n"}`);
  });

  it('writes a structure that contains itself', () => {
    const state = network.SystemNetworkInterfaceState.create({
      state: 'routable',
      members: { _p1: { state: 'carrier', members: { x: { state: 'off' } } } },
    });
    const stats = '"stats":{"rx_bytes":0,"rx_errors":0,"tx_bytes":0,"tx_errors":0}';
    expect(restJson(rest.network.SystemNetworkInterfaceState, state)).toBe(
      `{"members":{"_p1":{"members":{"x":{"state":"off",${stats}}},"state":"carrier",${stats}}},` +
        `"state":"routable",${stats}}`,
    );
  });
});
