import { SystemNetworkConfig } from '@incusos/contracts/network';
import { describe, expect, it } from 'vitest';
import { renderFiles } from './render.ts';
import { writeOptionsOf } from './secret-files.ts';

const key = 'kNVmYGHQ7bKVNfvJgWcCSCOlM8cBIhe0TzEbe+m8JW0=';

function file(...lines: string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

const files = renderFiles(
  SystemNetworkConfig.fromPartial({
    dns: { hostname: 'h', nameservers: ['192.0.2.53'] },
    time: { ntp_servers: ['ntp.example.org'] },
    wireguard: [
      {
        name: 'site',
        private_key: key,
        port: 51_820,
        mtu: 1420,
        addresses: ['10.0.0.1/24', 'fd00::1/64'],
        required_for_online: 'yes',
        routes: [{ to: '10.1.0.0/16', via: '10.0.0.2' }],
        peers: [
          {
            public_key: 'one=',
            allowed_ips: ['10.0.0.2/32', '10.1.0.0/16'],
            preshared_key: 'shared=',
            endpoint: 'vpn.example.org:51820',
            persistent_keepalive: 25,
          },
          { public_key: 'two=', allowed_ips: [], persistent_keepalive: 0, preshared_key: '', endpoint: '' },
        ],
      },
      { name: 'bare', private_key: key, port: 0 },
    ],
  }),
  new Map(),
);

describe('the files of a tunnel', () => {
  it('make the device with its peers', () => {
    expect(files.get('13-site.netdev')).toBe(
      file(
        '[NetDev]',
        'Name=site',
        'Kind=wireguard',
        '',
        '[WireGuard]',
        `PrivateKey=${key}`,
        'ListenPort=51820',
        '',
        '[WireGuardPeer]',
        'PublicKey=one=',
        'AllowedIPs=10.0.0.2/32',
        'AllowedIPs=10.1.0.0/16',
        'PresharedKey=shared=',
        'Endpoint=vpn.example.org:51820',
        'PersistentKeepalive=25',
        '',
        '[WireGuardPeer]',
        'PublicKey=two=',
      ),
    );
    expect(files.get('13-bare.netdev')).toBe(
      file('[NetDev]', 'Name=bare', 'Kind=wireguard', '', '[WireGuard]', `PrivateKey=${key}`),
    );
  });

  it('give it addresses and routes, and ask nothing else of the network behind it', () => {
    expect(files.get('23-site.network')).toBe(
      file(
        '[Match]',
        'Name=site',
        '',
        '[Link]',
        'MTUBytes=1420',
        '',
        '[Network]',
        'LinkLocalAddressing=ipv6',
        'Address=10.0.0.1/24',
        'Address=fd00::1/64',
        'IPv6AcceptRA=false',
        '',
        '[Route]',
        'Gateway=10.0.0.2',
        'Destination=10.1.0.0/16',
      ),
    );
    expect(files.get('23-bare.network')).toContain('MTUBytes=1500\n');
  });

  it('with a key can be read by networkd, and those with a Wake-on-LAN password by root alone', () => {
    expect(writeOptionsOf('13-site.netdev', files.get('13-site.netdev') ?? '')).toEqual({
      mode: 0o640,
      group: 'systemd-network',
    });
    expect(writeOptionsOf('00-_p1.link', '[Link]\nWakeOnLanPassword=01:02:03:04:05:06\n')).toEqual({
      mode: 0o600,
    });
    expect(writeOptionsOf('23-site.network', files.get('23-site.network') ?? '')).toEqual({});
  });
});
