import { ServiceNetbirdConfig, ServiceOVNConfig, ServiceTailscaleConfig } from '@incusos/contracts/addons';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeCertificates, type TestCertificates } from '../testing/certificates.ts';
import { checkNetbird } from './netbird-rules.ts';
import { checkOvn } from './ovn-rules.ts';
import { checkTailscale } from './tailscale-rules.ts';

type Found = [field: string, message: string][];

const ovn = (config: object): Found =>
  [...checkOvn(ServiceOVNConfig.fromPartial(config))].map(({ field, message }) => [field, message]);
const tailscale = (config: object): Found =>
  [...checkTailscale(ServiceTailscaleConfig.fromPartial(config))].map(({ field, message }) => [
    field,
    message,
  ]);
const netbird = (config: object): Found =>
  [...checkNetbird(ServiceNetbirdConfig.fromPartial(config))].map(({ field, message }) => [field, message]);

describe('a configuration of OVN', () => {
  it.each([
    { enabled: false },
    { enabled: true, database: 'tcp:192.0.2.9:6642' },
    { enabled: true, database: 'tcp:[2001:db8::9]:6642,tcp:sb.example.com:16642,tcp:192.0.2.9' },
    { enabled: true, database: 'unix:/run/ovn/ovnsb_db.sock' },
    {
      enabled: true,
      database: 'tcp:h:1',
      tunnel_address: '192.0.2.7,2001:db8::7',
      tunnel_protocol: 'geneve,vxlan',
    },
  ])('can be %j', (config) => {
    expect(ovn(config)).toEqual([]);
  });

  it.each([
    [{ enabled: true }, 'database', 'missing OVN database address'],
    [
      { database: '192.0.2.9' },
      'database',
      "invalid OVN database address '192.0.2.9', must be ssl:<host>:<port>, tcp:<host>:<port> or unix:<path>",
    ],
    [{ database: 'ptcp:6642' }, 'database', /invalid OVN database address 'ptcp:6642'/u],
    [{ database: 'tcp:h:70000' }, 'database', /invalid OVN database address 'tcp:h:70000'/u],
    [{ database: 'tcp:h:1,' }, 'database', /invalid OVN database address ''/u],
    [{ database: 'tcp:[192.0.2.1]:1' }, 'database', /invalid OVN database address/u],
    [{ database: 'tcp:h\n:1' }, 'database', /invalid OVN database address/u],
    [{ tunnel_address: '192.0.2.7/24' }, 'tunnel_address', "invalid OVN tunnel address '192.0.2.7/24'"],
    [
      { tunnel_protocol: 'gre' },
      'tunnel_protocol',
      "invalid OVN tunnel protocol 'gre', must be one of geneve, vxlan, stt",
    ],
    [
      { enabled: true, database: 'ssl:h:6642' },
      'tls_client_certificate',
      'tls_client_certificate is missing: a database at ssl: needs certificates',
    ],
  ])('%j is refused', (config, field, message) => {
    expect(ovn(config)).toEqual([
      [`config.${field}`, typeof message === 'string' ? message : expect.stringMatching(message)],
    ]);
  });

  describe('with certificates', () => {
    let made: TestCertificates;
    let tls: Record<string, string>;
    beforeAll(async () => {
      made = await makeCertificates();
      tls = {
        tls_client_certificate: made.certificate,
        tls_client_key: made.key,
        tls_ca_certificate: made.authority,
      };
    });

    it('needs all three of them, each what it has to be, and never repeats one', () => {
      expect(ovn({ enabled: true, database: 'ssl:h:6642', ...tls })).toEqual([]);
      expect(ovn({ ...tls, tls_ca_certificate: '' })).toEqual([
        [
          'config.tls_ca_certificate',
          'tls_ca_certificate is missing: a certificate, its key and a CA certificate belong together',
        ],
      ]);
      expect(ovn({ ...tls, tls_client_certificate: 'no PEM' })).toEqual([
        ['config.tls_client_certificate', 'tls_client_certificate is no certificate in PEM'],
      ]);
      expect(ovn({ ...tls, tls_client_key: made.certificate })).toEqual([
        ['config.tls_client_key', 'tls_client_key is no private key in PEM without a passphrase'],
      ]);
      expect(ovn({ ...tls, tls_client_certificate: made.authority })).toEqual([
        ['config.tls_client_key', "tls_client_key isn't the key of tls_client_certificate"],
      ]);
    });
  });
});

describe('a configuration of Tailscale', () => {
  it.each([
    {},
    {
      enabled: true,
      auth_key: 'tskey-auth-x',
      login_server: 'https://headscale.example.com:8443/x',
      port: 65_535,
    },
    {
      advertised_routes: [
        '10.0.0.0/8',
        '0.0.0.0/0',
        '192.0.2.1/32',
        '2001:db8::/32',
        '::/0',
        '::ffff:192.0.2.0/120',
      ],
    },
    { exit_node: 'auto:any' },
    { serve_enabled: true, serve_port: 443, serve_service: 'svc:incus-1' },
  ])('can be %j', (config) => {
    expect(tailscale(config)).toEqual([]);
  });

  it.each([
    [
      { login_server: 'headscale.example.com' },
      'login_server',
      "invalid login server 'headscale.example.com', must be an http or https URL",
    ],
    [{ auth_key: 'a b' }, 'auth_key', "auth_key can't contain white space"],
    [{ port: 65_536 }, 'port', 'invalid port 65536, must be from 0 to 65535'],
    [{ port: -1 }, 'port', 'invalid port -1, must be from 0 to 65535'],
    [
      { advertised_routes: ['10.0.0.0/8', '10.0.0.1/8'] },
      'advertised_routes[1]',
      "advertised route 1 '10.0.0.1/8' has bits set that are not of its network",
    ],
    [{ advertised_routes: ['2001:db8::1/64'] }, 'advertised_routes[0]', /has bits set/u],
    [
      { advertised_routes: ['10.0.0.0'] },
      'advertised_routes[0]',
      "advertised route 0 '10.0.0.0' is no network with a prefix length",
    ],
    [{ advertised_routes: ['10.0.0.0/33'] }, 'advertised_routes[0]', /is no network/u],
    [
      { advertise_exit_node: true, exit_node: 'x' },
      'exit_node',
      "a machine that offers to be an exit node can't use another one",
    ],
    [{ serve_enabled: true }, 'serve_port', 'invalid serve port 0, must be from 1 to 65535'],
    [{ serve_service: 'incus' }, 'serve_service', "invalid serve service 'incus', must be svc:<name>"],
  ])('%j is refused', (config, field, message) => {
    expect(tailscale(config)).toEqual([
      [`config.${field}`, typeof message === 'string' ? message : expect.stringMatching(message)],
    ]);
  });

  it('takes exactly the networks whose other bits are zero', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(255), { minLength: 16, maxLength: 16 }),
        fc.nat(128),
        fc.boolean(),
        (bytes, wanted, four) => {
          const length = four ? wanted % 33 : wanted;
          const size = four ? 4 : 16;
          const masked = bytes.slice(0, size).map((byte, index) => {
            const kept = Math.min(8, Math.max(0, length - index * 8));
            return byte & (0xff << (8 - kept)) & 0xff;
          });
          const text = (parts: number[]): string =>
            four
              ? parts.join('.')
              : Array.from({ length: 8 }, (_, index) =>
                  (((parts[index * 2] ?? 0) << 8) | (parts[index * 2 + 1] ?? 0)).toString(16),
                ).join(':');
          const same = text(masked) === text(bytes.slice(0, size));
          expect(tailscale({ advertised_routes: [`${text(masked)}/${length}`] })).toEqual([]);
          expect(tailscale({ advertised_routes: [`${text(bytes.slice(0, size))}/${length}`] }).length).toBe(
            same ? 0 : 1,
          );
        },
      ),
    );
  });
});

describe('a configuration of NetBird', () => {
  it.each([
    {},
    {
      enabled: true,
      setup_key: 'A2C8E62B-38F5-4553-B31E-DD66C696CEBB',
      management_url: 'https://api.netbird.io:443',
      admin_url: 'https://app.netbird.io',
      dns_resolver_address: '127.0.0.1:5053',
      external_ip_map: ['203.0.113.5', '203.0.113.5/10.0.0.1', '203.0.113.5/enp5s0'],
      extra_dns_labels: ['web', 'a1'],
    },
    { dns_resolver_address: '[::1]:53' },
  ])('can be %j', (config) => {
    expect(netbird(config)).toEqual([]);
  });

  it.each([
    [{ setup_key: 'a\nb' }, 'setup_key', "setup_key can't contain white space"],
    [
      { management_url: 'netbird.example.com' },
      'management_url',
      "invalid management_url 'netbird.example.com', must be an http or https URL",
    ],
    [{ admin_url: 'ftp://h' }, 'admin_url', "invalid admin_url 'ftp://h', must be an http or https URL"],
    [
      { dns_resolver_address: '127.0.0.1' },
      'dns_resolver_address',
      "invalid DNS resolver address '127.0.0.1', must be <IP>:<port>",
    ],
    [
      { external_ip_map: ['x'] },
      'external_ip_map[0]',
      "external IP map 0 'x' must be <IP>, <IP>/<IP> or <IP>/<interface>",
    ],
    [{ external_ip_map: ['203.0.113.5,203.0.113.6'] }, 'external_ip_map[0]', /must be/u],
    [{ extra_dns_labels: ['a', 'a.b'] }, 'extra_dns_labels[1]', "extra DNS label 1 'a.b' is no DNS label"],
    [
      { extra_dns_labels: Array.from({ length: 33 }, (_, index) => `l${index}`) },
      'extra_dns_labels',
      'there are more than 32 extra DNS labels',
    ],
  ])('%j is refused', (config, field, message) => {
    expect(netbird(config)).toEqual([
      [`config.${field}`, typeof message === 'string' ? message : expect.stringMatching(message)],
    ]);
  });
});
