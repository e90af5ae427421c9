import { SystemNetworkConfig } from '@incusos/contracts/network';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settingsOf } from '../proxy/local-proxy.ts';
import { checkProxy, withProxyRules } from './proxy.ts';

type Draft = NonNullable<Parameters<typeof SystemNetworkConfig.fromPartial>[0]['proxy']>;

const open = { host: 'proxy.test:3128', auth: 'anonymous', use_tls: false };
const basic = { ...open, auth: 'basic', username: 'machine', password: 's3cret' };
const kerberos = { ...basic, auth: 'kerberos', realm: 'EXAMPLE.TEST' };

function config(proxy: Draft): SystemNetworkConfig {
  return SystemNetworkConfig.fromPartial({ proxy });
}

function violations(proxy: Draft): [field: string, message: string][] {
  return [...checkProxy(config(proxy).proxy)].map(({ field, message }) => [field, message]);
}

function server(change: Partial<typeof kerberos>, base: Partial<typeof kerberos> = kerberos): Draft {
  return { servers: { corp: { ...base, ...change } } };
}

describe('the proxy of a configuration', () => {
  it.each([
    {},
    { servers: { open } },
    { servers: { basic, kerberos, open }, rules: [{ destination: '*.test|!x', target: 'basic' }] },
    { servers: { basic: { ...basic, password: '' } } },
    { servers: { corp: { ...kerberos, username: 'machine@OTHER.TEST', host: 'https://proxy.test' } } },
    { rules: [{ destination: '*', target: 'none' }] },
    { servers: { toString: open }, rules: [{ destination: '*', target: 'toString' }] },
    { servers: { corp: { ...open, host: 'localhost:3129' } } },
  ] as Draft[])('can be %j', (proxy) => {
    expect(violations(proxy)).toEqual([]);
  });

  it.each([
    [
      'config.proxy.servers.direct',
      "cannot use reserved keyword 'direct' for proxy definition",
      { servers: { direct: open } },
    ],
    [
      'config.proxy.servers.none',
      "cannot use reserved keyword 'none' for proxy definition",
      { servers: { none: open } },
    ],
    [
      'config.proxy.servers.corp.auth',
      'unsupported proxy authentication type ntlm',
      server({ auth: 'ntlm' }),
    ],
    ['config.proxy.servers.corp.auth', 'unsupported proxy authentication type ', server({ auth: '' })],
    [
      'config.proxy.rules[1].target',
      'no proxy defined for target x',
      {
        servers: { open },
        rules: [
          { destination: '*.test', target: 'open' },
          { destination: '*', target: 'x' },
        ],
      },
    ],
    [
      'config.proxy.rules[0].target',
      'no proxy defined for target toString',
      { rules: [{ destination: '*', target: 'toString' }] },
    ],
    [
      'config.proxy.rules[0].destination',
      "destination of proxy rule 0 can't be used: it is empty",
      {
        rules: [{ destination: '', target: 'direct' }],
      },
    ],
    [
      'config.proxy.rules[0].destination',
      "destination of proxy rule 0 can't be used: Invalid regular expression: /(/i: Unterminated group",
      {
        rules: [{ destination: 're:(', target: 'direct' }],
      },
    ],
    [
      'config.proxy.servers.corp.host',
      'host of proxy server corp has no port',
      server({ host: 'proxy.test' }),
    ],
    [
      'config.proxy.servers.corp.host',
      'host of proxy server corp is neither a host with a port nor the http or https URL of one',
      server({ host: 'http://machine:s3cret@proxy.test:8080' }),
    ],
    [
      'config.proxy.servers.corp.host',
      "proxy server corp would be this machine's own proxy",
      server({ host: 'localhost:3128' }),
    ],
    [
      'config.proxy.servers.corp.host',
      "proxy server corp would be this machine's own proxy",
      server({ host: 'http://[::1]:3128' }),
    ],
    [
      'config.proxy.servers.corp.username',
      'proxy server corp has no username for basic authentication',
      server({ username: '' }, basic),
    ],
    [
      'config.proxy.servers.corp.username',
      'username of proxy server corp may not contain a colon',
      server({ username: 'a:b' }, basic),
    ],
    [
      'config.proxy.servers.corp.password',
      'password of proxy server corp may not contain control characters',
      server({ password: 'a\nb' }),
    ],
    [
      'config.proxy.servers.corp.realm',
      'proxy server corp has no realm for kerberos authentication',
      server({ realm: '' }),
    ],
    [
      'config.proxy.servers.corp.realm',
      'realm of proxy server corp is not a Kerberos realm',
      server({ realm: 'X }\nkdc = evil' }),
    ],
    [
      'config.proxy.servers.corp.username',
      'username of proxy server corp is not a Kerberos principal',
      server({ username: 'a@b c' }),
    ],
  ] as [string, string, Draft][])('%s: %s', (field, message, proxy) => {
    expect(violations(proxy)).toEqual([[field, message]]);
  });

  it('tells no secret about what is wrong', () => {
    const secret = 'tr0ub4dor';
    const anything = fc.record({
      host: fc.oneof(fc.string(), fc.constant(`http://u:${secret}@h`)),
      auth: fc.constantFrom('basic', 'kerberos'),
      username: fc.string(),
      password: fc.constantFrom(secret, `${secret}\n`),
      realm: fc.string(),
      use_tls: fc.boolean(),
    });
    fc.assert(
      fc.property(anything, (corp) => {
        for (const [, message] of violations({ servers: { corp } })) expect(message).not.toContain(secret);
      }),
    );
  });
});

describe('the rules of a proxy', () => {
  const rulesOf = (proxy: Draft): unknown => withProxyRules(config(proxy)).proxy?.rules;

  it('lead to the first server by name when none are given', () => {
    expect(rulesOf({ servers: { b: open, a: open, c: open } })).toEqual([{ destination: '*', target: 'a' }]);
  });

  it('lead straight to the destination when there is no server either', () => {
    expect(rulesOf({})).toEqual([{ destination: '*', target: 'direct' }]);
  });

  it('stay as they are given', () => {
    const rules = [{ destination: 'a', target: 'none' }];
    expect(rulesOf({ servers: { a: open }, rules })).toEqual(rules);
    expect(withProxyRules(SystemNetworkConfig.fromPartial({})).proxy).toBeUndefined();
  });
});

describe('what the proxy is told', () => {
  it('is where its servers are and what they want', () => {
    const { proxy } = config({
      servers: {
        tls: { ...basic, host: 'https://a.test' },
        realm: { ...kerberos, username: 'machine@OTHER.TEST' },
        corp: kerberos,
        open: { ...open, username: 'unused', password: 'unused' },
      },
      rules: [{ destination: '*', target: 'corp' }],
    });
    if (proxy === undefined) throw new Error('there is none');
    const at = { host: 'proxy.test', port: 3128, tls: false };
    const ticket = { type: 'kerberos', realm: 'EXAMPLE.TEST', password: 's3cret' };
    expect(settingsOf(proxy)).toEqual({
      servers: {
        corp: { ...at, authentication: { ...ticket, principal: 'machine@EXAMPLE.TEST' } },
        open: { ...at, authentication: { type: 'anonymous' } },
        realm: { ...at, authentication: { ...ticket, principal: 'machine@OTHER.TEST' } },
        tls: {
          host: 'a.test',
          port: 443,
          tls: true,
          authentication: { type: 'basic', username: 'machine', password: 's3cret' },
        },
      },
      rules: [{ destination: '*', target: 'corp' }],
    });
  });
});
