/** The readers of programs' output, on what the programs of a real machine answered. */
import { fileIn, outputOf } from '@incusos/host-emulated/samples';
import { describe, expect, it } from 'vitest';
import { parseCounters } from './counters.ts';
import { cardsOf, type LinkDetails, parseLinks, parseRoutes } from './ip.ts';
import { parseNeighbours, parseStatuses } from './networkctl.ts';

function links(recording: string): Map<string, LinkDetails> {
  return new Map(parseLinks(outputOf(recording, 'ip -j -d address')).map((link) => [link.name, link]));
}

describe('the devices of a real machine', () => {
  it('are a card, its bridge and the pair of devices with the addresses', () => {
    const found = links('network/one-card');
    expect(found.get('_p525400123461')).toMatchObject({
      otherNames: ['enx525400123461'],
      permanentMac: '52:54:00:12:34:61',
      mtu: 9000,
      maxMtu: 65_535,
      kind: undefined,
      master: 'uplink',
    });
    expect(found.get('uplink')).toMatchObject({ kind: 'bridge', addresses: [] });
    expect(found.get('_i525400123461')).toMatchObject({ kind: 'veth', master: 'uplink' });
    const { kind, mac, addresses } = found.get('_vuplink') ?? {};
    expect([kind, mac]).toEqual(['veth', '52:54:00:12:34:61']);
    expect(addresses?.map(({ scope }) => scope).toSorted()).toEqual(['global', 'link', 'site']);
    expect(addresses).toContainEqual({ address: '10.0.2.15', scope: 'global' });
  });

  it('are cards where they are hardware, also as ports of a bridge or a bond', () => {
    const cards = (recording: string): string[] =>
      cardsOf(parseLinks(outputOf(recording, 'ip -j -d address'))).map(({ name }) => name);
    expect(cards('network/one-card')).toContain('_p525400123461');
    expect(cards('network/bond')).toEqual(expect.arrayContaining(['_p525400123461', '_p525400123462']));
    expect(cards('network/bond')).toHaveLength(3);
  });

  it('are a bond that nobody answers at the other end', () => {
    const found = links('network/bond');
    expect(found.get('_bpair')).toMatchObject({ kind: 'bond', master: 'pair' });
    expect(found.get('_p525400123462')).toMatchObject({
      permanentMac: '52:54:00:12:34:62',
      master: '_bpair',
    });
    expect(found.get('guests')).toMatchObject({ kind: 'vlan' });
    expect(found.get('guests')?.addresses).toContainEqual({ address: '203.0.113.10', scope: 'global' });
  });

  it('have routes by DHCP, by router advertisement and as configured', () => {
    const routes = (recording: string, family: 4 | 6): string[] =>
      parseRoutes(outputOf(recording, `ip -j -${family} route`)).map(
        ({ dev, to, via }) => `${to} ${via} ${dev}`,
      );
    expect(routes('network/one-card', 4)).toEqual(
      expect.arrayContaining(['default 10.0.2.2 _vuplink', '10.0.2.0/24  _vuplink']),
    );
    expect(routes('network/one-card', 6)).toEqual(['fec0::/64  _vuplink', 'default fe80::2 _vuplink']);
    expect(routes('network/bond', 4)).toEqual(
      expect.arrayContaining(['198.51.100.0/24 192.0.2.1 _vpair', '203.0.113.0/24  guests']),
    );
    expect(routes('network/bond', 6)).toEqual([]);
  });

  it('are online in the way that is asked of each', () => {
    const statuses = parseStatuses(outputOf('network/one-card', 'networkctl list'));
    const told = ['_vuplink', 'uplink', '_p525400123461', 'enp0s3'].map((name) => statuses.get(name));
    expect(told).toEqual([
      { operational: 'routable', online: 'online' },
      { operational: 'carrier', online: 'online' },
      { operational: 'enslaved', online: 'online' },
      { operational: 'off', online: undefined },
    ]);
  });

  it('hear neighbours, also those that say little of themselves', () => {
    const neighbours = parseNeighbours(outputOf('network/one-card', 'networkctl lldp'));
    const [heard] = neighbours.get('_p525400123463') ?? [];
    expect(heard).toMatchObject({ portId: 'neighbour', port: '' });
    expect(heard?.chassisId).toMatch(/^[0-9a-f]{32}$/u);
    expect(heard?.name).toBe(heard?.chassisId);
  });

  it('are counted by the kernel', () => {
    const counters = parseCounters(fileIn('network/one-card', '/proc/net/dev').toString());
    expect(counters.get('_vuplink')?.rxBytes).toBeGreaterThan(0n);
    expect([...counters.keys()]).toEqual(expect.arrayContaining(['lo', 'uplink', '_p525400123461']));
  });
});
