import { describe, expect, it } from 'vitest';
import { isEmpty, planChange } from './plan.ts';

const bridge = '[NetDev]\nName=a\nKind=bridge\n\n[Bridge]\nVLANFiltering=true\n';
const veth = '[NetDev]\nName=_va\nKind=veth\nMACAddress=10:66:6a:00:00:01\n\n[Peer]\nName=_i10666a000001\n';
const link = '[Match]\nPermanentMACAddress=10:66:6a:00:00:01\n\n[Link]\nName=_p10666a000001\n';
const network = '[Match]\nName=_va\n';
const files = (entries: Record<string, string>): Map<string, string> => new Map(Object.entries(entries));
const present = files({
  '00-a.link': link,
  '10-a.netdev': bridge,
  '10-_va.netdev': veth,
  '20-_va.network': network,
});

describe('the plan of a change', () => {
  it('is empty when everything is as wanted', () => {
    expect(isEmpty(planChange(present, new Map(present)))).toBe(true);
  });

  it('touches no device when only addresses change', () => {
    const plan = planChange(present, new Map([...present, ['20-_va.network', `${network}x`]]));
    expect(plan).toEqual({
      write: files({ '20-_va.network': `${network}x` }),
      remove: [],
      staleDevices: [],
      cards: [],
    });
  });

  it('makes a device anew whose settings changed, and keeps its bridge', () => {
    const changed = veth.replace('00:01\n', '00:02\n');
    expect(planChange(present, new Map([...present, ['10-_va.netdev', changed]])).staleDevices).toEqual([
      { name: '_va', removed: false, bridge: false },
    ]);
  });

  it('leaves a tunnel whose peers or keys changed where it is, and deletes one that is no longer wanted', () => {
    const tunnel = '[NetDev]\nName=site\nKind=wireguard\n\n[WireGuard]\nPrivateKey=x\n';
    const before = files({ '13-site.netdev': tunnel });
    expect(planChange(before, files({ '13-site.netdev': `${tunnel}\n[WireGuardPeer]\n` }))).toMatchObject({
      write: new Map([['13-site.netdev', `${tunnel}\n[WireGuardPeer]\n`]]),
      staleDevices: [],
    });
    expect(planChange(before, new Map()).staleDevices).toEqual([
      { name: 'site', removed: true, bridge: false },
    ]);
  });

  it('deletes devices and files that are no longer wanted', () => {
    const plan = planChange(present, new Map());
    expect(plan.remove).toEqual([...present.keys()]);
    expect(plan.staleDevices).toEqual([
      { name: 'a', removed: true, bridge: true },
      { name: '_va', removed: true, bridge: false },
    ]);
  });

  it('lets udev look at a card again whose file is new', () => {
    expect(planChange(new Map(), present).cards).toEqual(['10:66:6a:00:00:01']);
  });
});
