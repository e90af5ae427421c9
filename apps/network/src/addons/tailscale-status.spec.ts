import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyTailscaleState, parseTailscaleStatus } from './tailscale-status.ts';

describe('the output of tailscale status --json', () => {
  it('of a node that is logged out has a state and no peers', () => {
    const text = `{
  "Version": "1.103.0-t0123456789", "TUN": true, "BackendState": "NeedsLogin", "AuthURL": "",
  "TailscaleIPs": null,
  "Self": {"ID": "", "PublicKey": "nodekey:00", "HostName": "server1", "DNSName": "", "OS": "linux", "UserID": 0,
           "TailscaleIPs": null, "RxBytes": 0, "TxBytes": 0, "Online": false, "ExitNode": false, "ExitNodeOption": false},
  "Health": ["You are logged out."], "MagicDNSSuffix": "", "CurrentTailnet": null, "CertDomains": null, "Peer": null,
  "User": null, "ClientVersion": null
}`;
    expect(parseTailscaleStatus(text)).toMatchObject({
      version: '1.103.0-t0123456789',
      backend_state: 'NeedsLogin',
      tailnet_name: undefined,
      self: { host_name: 'server1', tailscale_ips: [], rx_bytes: 0n },
      peer: [],
      have_node_key: false,
      health: ['You are logged out.'],
    });
  });

  it('of any shape gives a state, since it may change between releases', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(() => parseTailscaleStatus(text)).not.toThrow();
      }),
    );
    expect(parseTailscaleStatus('[]')).toEqual(emptyTailscaleState());
  });

  it('has its peers sorted by host name, whatever they are keyed by', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.record({ HostName: fc.string() })), (peers) => {
        const names = parseTailscaleStatus(JSON.stringify({ Peer: peers })).peer.map(
          (peer) => peer.host_name,
        );
        expect(names).toEqual(names.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
        expect(names.length).toBe(Object.keys(peers).length);
      }),
    );
  });
});
