import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEndpoint } from './endpoint.ts';

describe('the place of a proxy server', () => {
  it.each([
    ['proxy.test:8080', false, { host: 'proxy.test', port: 8080, tls: false }],
    ['proxy.test:8080', true, { host: 'proxy.test', port: 8080, tls: true }],
    ['http://proxy.test', true, { host: 'proxy.test', port: 80, tls: false }],
    ['https://proxy.test', false, { host: 'proxy.test', port: 443, tls: true }],
    ['https://proxy.test/', false, { host: 'proxy.test', port: 443, tls: true }],
    ['http://proxy.test:8080', true, { host: 'proxy.test', port: 8080, tls: true }],
    ['https://proxy.test:8443', false, { host: 'proxy.test', port: 8443, tls: false }],
    ['http://proxy.test:80', true, { host: 'proxy.test', port: 80, tls: true }],
    ['proxy.test', true, { host: 'proxy.test', port: 0, tls: true }],
    ['httpproxy.test:3128', false, { host: 'httpproxy.test', port: 3128, tls: false }],
    ['[2001:db8::1]:3128', false, { host: '2001:db8::1', port: 3128, tls: false }],
    ['https://[2001:db8::1]', false, { host: '2001:db8::1', port: 443, tls: true }],
  ])('%s with use_tls %s', (text, useTls, expected) => {
    expect(parseEndpoint(text, useTls)).toEqual(expected);
  });

  it.each([
    '',
    ' ',
    'a b:1',
    'proxy:0',
    'proxy:65536',
    'proxy:',
    'user:secret@proxy:8080',
    '2001:db8::1',
    'ftp://proxy',
  ])('%o is none', (text) => {
    expect(parseEndpoint(text, false)).toBeUndefined();
  });

  it('is read from any text without failing', () => {
    fc.assert(
      fc.property(fc.string(), fc.boolean(), (text, useTls) => {
        const endpoint = parseEndpoint(text, useTls);
        if (endpoint !== undefined) expect(text).toContain(endpoint.host);
      }),
    );
  });
});
