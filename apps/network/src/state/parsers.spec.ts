import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCounters } from './counters.ts';
import { cardsOf, parseLinks, parseRoutes, rememberNames, withEarlierNames } from './ip.ts';
import { parseNeighbours, parseStatuses } from './networkctl.ts';

/** Recorded from iproute2 6.1. */
const recordedLinks =
  '[{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"mtu":65536,"qdisc":"noqueue","operstate":"UNKNOWN","group":"default","txqlen":1000,"link_type":"loopback","address":"00:00:00:00:00:00","broadcast":"00:00:00:00:00:00","addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8,"scope":"host","label":"lo","valid_life_time":4294967295,"preferred_life_time":4294967295}]},' +
  '{"ifindex":2,"ifname":"ifb0","flags":["BROADCAST","NOARP"],"mtu":1500,"qdisc":"noop","operstate":"DOWN","group":"default","txqlen":32,"link_type":"ether","address":"e2:a7:19:f7:67:86","broadcast":"ff:ff:ff:ff:ff:ff","promiscuity":0,"min_mtu":0,"max_mtu":0,"linkinfo":{"info_kind":"ifb"},"addr_info":[]},' +
  '{"ifindex":4,"ifname":"eth0","altnames":["enp0s3"],"flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],"mtu":1400,"qdisc":"pfifo_fast","operstate":"UP","group":"default","txqlen":1000,"link_type":"ether","address":"02:fc:00:00:00:01","broadcast":"ff:ff:ff:ff:ff:ff","permaddr":"02:FC:00:00:00:09","min_mtu":68,"max_mtu":65535,"parentbus":"virtio","parentdev":"virtio2","addr_info":[{"family":"inet","local":"192.0.2.2","prefixlen":24,"scope":"global"},{"family":"inet6","local":"fe80::fc:ff:fe00:1","prefixlen":64,"scope":"link"},{}]}]';
const recordedRoutes =
  '[{"dst":"default","gateway":"192.0.2.1","dev":"eth0","flags":[]},{"dst":"192.0.2.0/24","dev":"eth0","protocol":"kernel","scope":"link","prefsrc":"192.0.2.2","flags":[]},{"dst":"fe80::/64","dev":"eth0","protocol":"kernel","metric":256,"flags":[],"pref":"medium"},{"dst":"198.51.100.0/24","via":{"family":"inet6","host":"fe80::1"},"dev":"eth0","flags":[]}]';

describe('what iproute2 says', () => {
  it('is read with permanent addresses, other names and scopes', () => {
    expect(parseLinks(recordedLinks)[2]).toEqual({
      name: 'eth0',
      otherNames: ['enp0s3'],
      mac: '02:fc:00:00:00:01',
      permanentMac: '02:fc:00:00:00:09',
      mtu: 1400,
      maxMtu: 65_535,
      type: 'ether',
      kind: undefined,
      master: undefined,
      partnerMac: undefined,
      addresses: [
        { address: '192.0.2.2', scope: 'global' },
        { address: 'fe80::fc:ff:fe00:1', scope: 'link' },
      ],
    });
  });

  it('names the cards that are hardware', () => {
    expect(cardsOf(parseLinks(recordedLinks)).map(({ name }) => name)).toEqual(['eth0']);
  });

  it('gives the routes that lead somewhere', () => {
    expect(parseRoutes(recordedRoutes)).toEqual([
      { dev: 'eth0', to: 'default', via: '192.0.2.1' },
      { dev: 'eth0', to: '192.0.2.0/24', via: '' },
      { dev: 'eth0', to: '198.51.100.0/24', via: 'fe80::1' },
    ]);
  });

  it('is an error that names the tool when it is no JSON', () => {
    expect(() => parseLinks('[{')).toThrow('ip address gave no valid JSON');
    expect(parseLinks('')).toEqual([]);
  });

  it('never breaks the parsers, whatever JSON it is', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        for (const parse of [parseLinks, parseRoutes, parseStatuses, parseNeighbours]) parse(text);
      }),
    );
  });
});

describe('the names of cards', () => {
  const card = (name: string, mac: string): ReturnType<typeof cardsOf>[number] => ({
    name,
    otherNames: [],
    mac,
    maxMtu: 1500,
  });

  it('are remembered from before a configuration renamed them', () => {
    const names = rememberNames([card('enp5s0', 'a'), card('_pb', 'b')], { b: 'enp6s0', c: 'gone' });
    expect(names).toEqual({ a: 'enp5s0', b: 'enp6s0', c: 'gone' });
    expect(withEarlierNames([card('_pb', 'b')], names)[0]?.otherNames).toEqual(['enp6s0']);
  });

  it('go to the card that has them now', () => {
    expect(withEarlierNames([card('_pb', 'b'), card('enp6s0', 'd')], { b: 'enp6s0' })[0]?.otherNames).toEqual(
      [],
    );
  });
});

describe('what networkd says', () => {
  it('is read by the names of links', () => {
    const list =
      '{"Interfaces":[{"Index":2,"Name":"eth0","Type":"ether","Driver":"bnxt_en","AdministrativeState":"configured","OperationalState":"routable","CarrierState":"carrier","OnlineState":"online"},{"Index":3,"Name":"_p1","OperationalState":"enslaved","OnlineState":null}]}';
    expect(parseStatuses(list)).toEqual(
      new Map([
        ['eth0', { operational: 'routable', online: 'online' }],
        ['_p1', { operational: 'enslaved', online: undefined }],
      ]),
    );
  });

  it('gives the neighbours that each link hears', () => {
    const lldp =
      '{"Neighbors":[{"InterfaceIndex":2,"InterfaceName":"_p1","Neighbors":[{"ChassisID":"00:11:22:33:44:55","PortID":"ge-0/0/1","PortDescription":"uplink","SystemName":"sw1"}]}]}';
    expect(parseNeighbours(lldp).get('_p1')).toEqual([
      { chassisId: '00:11:22:33:44:55', name: 'sw1', portId: 'ge-0/0/1', port: 'uplink' },
    ]);
  });
});

describe('the counters of the kernel', () => {
  it('are read beyond what a number can hold', () => {
    const text =
      'Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n    lo:    3193      29    0    0    0     0          0         0     3193      29    0    0    0     0       0          0\n  eth0: 18446744073709551615   17259    2    0    0     0          0         0  1524927   11103    3    0    0     0       0          0\n';
    expect(parseCounters(text).get('eth0')).toEqual({
      rxBytes: 18_446_744_073_709_551_615n,
      rxErrors: 2n,
      txBytes: 1_524_927n,
      txErrors: 3n,
    });
    expect([...parseCounters(text).keys()]).toEqual(['lo', 'eth0']);
  });
});
