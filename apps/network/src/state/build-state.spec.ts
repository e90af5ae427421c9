import { SystemNetworkConfig, SystemNetworkWireguardState } from '@incusos/contracts/network';
import { describe, expect, it } from 'vitest';
import { buildState, type InterfaceStates } from './build-state.ts';
import type { LinkDetails } from './ip.ts';
import type { Moving } from './moving.ts';
import type { Readings } from './readings.ts';

const mac = (number: number): string => `10:66:6a:00:00:0${number}`;

function link(name: string, change: Partial<LinkDetails> = {}): LinkDetails {
  return {
    name,
    otherNames: [],
    mac: mac(1),
    permanentMac: mac(1),
    mtu: 1500,
    maxMtu: 9000,
    type: 'ether',
    kind: 'veth',
    master: undefined,
    addresses: [],
    ...change,
  };
}

function states(
  draft: Parameters<typeof SystemNetworkConfig.fromPartial>[0],
  links: LinkDetails[],
  operational: Record<string, string>,
  cardNames = {},
): InterfaceStates {
  const readings: Readings = {
    links: new Map(links.map((one) => [one.name, one])),
    routes: [{ dev: '_va', to: 'default', via: '192.0.2.1' }],
    statuses: new Map(
      Object.entries(operational).map(([name, state]) => [name, { operational: state, online: undefined }]),
    ),
    speeds: new Map([
      ['_p10666a000001', 25_000],
      ['_bu', 50_000],
    ]),
  };
  return buildState({ config: SystemNetworkConfig.fromPartial(draft), readings, moving, cardNames });
}

const moving: Moving = {
  counters: new Map([['_va', { rxBytes: 5n, rxErrors: 1n, txBytes: 6n, txErrors: 2n }]]),
  neighbours: new Map([['_p10666a000001', [{ chassisId: 'c', name: 'sw', portId: 'p', port: '' }]]]),
  lacp: new Map([['_p10666a000001', { local: mac(1), remote: '52:54:00:00:00:01' }]]),
  tunnels: new Map([['w', SystemNetworkWireguardState.create({ public_key: 'k', listening_port: 51_820 })]]),
};

const card = link('_p10666a000001', { kind: undefined });
const working = { _p10666a000001: 'enslaved', _p10666a000002: 'enslaved' };
const two = {
  interfaces: [
    { name: 'a', hwaddr: mac(1) },
    { name: 'b', hwaddr: mac(2) },
  ],
};

describe('the state of the network', () => {
  it('shows a device by what carries its addresses, and the card below it', () => {
    const host = link('_va', {
      addresses: [
        { address: '192.0.2.2', scope: 'global' },
        { address: 'fe80::1', scope: 'link' },
      ],
    });
    expect(
      states({ interfaces: [{ name: 'a', hwaddr: mac(1), roles: ['storage'] }] }, [host, card], {
        _va: 'carrier',
        _p10666a000001: 'enslaved',
      })['a'],
    ).toMatchObject({
      type: 'interface',
      state: 'carrier',
      addresses: ['192.0.2.2'],
      routes: [{ to: 'default', via: '192.0.2.1' }],
      hwaddr: mac(1),
      mtu: 1500,
      speed: '25000',
      roles: ['storage'],
      lldp: [{ chassis_id: 'c', name: 'sw', port_id: 'p' }],
      stats: { rx_bytes: 5n, rx_errors: 1n, tx_bytes: 6n, tx_errors: 2n },
    });
  });

  it('says that a device is missing, and that its speed is unknown', () => {
    expect(states({ interfaces: [{ name: 'a', hwaddr: mac(3) }] }, [], {})['a']).toMatchObject({
      state: 'missing',
      speed: 'unknown',
      addresses: [],
    });
  });

  it('lets everything reachable manage the machine when nothing else does', () => {
    const shown = states(two, [], { ...working, _va: 'routable', _vb: 'carrier' });
    expect(shown['a']?.roles).toEqual(['management', 'cluster']);
    expect(shown['b']?.roles).toEqual([]);
  });

  it('leaves configured roles alone, and gives the cluster to what manages', () => {
    const shown = states(
      {
        interfaces: [
          { name: 'a', hwaddr: mac(1) },
          { name: 'b', hwaddr: mac(2), roles: ['management'] },
        ],
      },
      [],
      { ...working, _va: 'routable', _vb: 'off' },
    );
    expect(shown['a']?.roles).toEqual([]);
    expect(shown['b']?.roles).toEqual(['management', 'cluster']);
  });

  it('shows members of bonds within them, and vlans with the speed of what is below', () => {
    const shown = states(
      {
        bonds: [{ name: 'u', mode: '802.3ad', members: [mac(1)] }],
        vlans: [{ name: 'v', id: 5, parent: 'u' }],
      },
      [card, link('_bu', { kind: 'bond' })],
      { _vu: 'routable', _bu: 'enslaved', _p10666a000001: 'enslaved', v: 'routable' },
    );
    expect(shown['u']).toMatchObject({
      type: 'bond',
      speed: '50000',
      members: {
        _p10666a000001: {
          type: 'bond_member',
          state: 'enslaved',
          speed: '25000',
          lacp: { local_mac: mac(1), remote_mac: '52:54:00:00:00:01' },
        },
      },
    });
    expect(shown['v']).toMatchObject({ type: 'vlan', state: 'routable', speed: '50000' });
  });

  it('shows cards that nothing is configured on, by the names people know', () => {
    const unused = link('_p10666a000005', { kind: undefined, permanentMac: mac(5) });
    const shown = states(
      { interfaces: [{ name: 'a', hwaddr: mac(1) }] },
      [card, unused, link('enp9s0', { kind: undefined, permanentMac: mac(6) })],
      {},
      { [mac(5)]: 'enp6s0' },
    );
    expect(Object.keys(shown)).toEqual(['a', 'enp6s0', 'enp9s0']);
    expect(shown['enp6s0']?.type).toBe('physical');
  });

  it('lets the card say that nobody is reached, also for what is above it', () => {
    const shown = states(
      {
        interfaces: [{ name: 'a', hwaddr: mac(1) }],
        bonds: [{ name: 'u', mode: 'active-backup', members: [mac(2)] }],
        vlans: [{ name: 'v', id: 5, parent: 'u' }],
      },
      [],
      { _va: 'routable', _p10666a000001: 'no-carrier', _vu: 'routable', _bu: 'no-carrier', v: 'routable' },
    );
    expect([shown['a']?.state, shown['u']?.state, shown['v']?.state]).toEqual(Array(3).fill('no-carrier'));
    expect(Object.values(shown).flatMap(({ roles }) => roles)).toEqual([]);
  });

  it('shows a tunnel with what the kernel says of its peers', () => {
    const { w } = states({ wireguard: [{ name: 'w', roles: ['cluster'] }] }, [], { w: 'routable' });
    expect(w).toMatchObject({
      type: 'wireguard',
      state: 'routable',
      speed: 'unknown',
      roles: expect.arrayContaining(['cluster', 'management']) as unknown,
      wireguard: { public_key: 'k', listening_port: 51_820 },
    });
  });
});
