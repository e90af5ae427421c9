import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listenAddressProblem } from '../trust/listen-address.ts';
import { formatDistinguishedName } from './distinguished-name.ts';
import { readCertificate } from './pem.ts';

describe('formatDistinguishedName', () => {
  it('has the most specific attribute first, whatever the order in the certificate', () => {
    expect(
      formatDistinguishedName({
        C: 'US',
        ST: 'Washington',
        L: 'Redmond',
        O: 'Microsoft Corporation',
        CN: 'Microsoft Windows Production PCA 2011',
      }),
    ).toBe('CN=Microsoft Windows Production PCA 2011,ST=Washington,L=Redmond,O=Microsoft Corporation,C=US');
  });

  it('joins several values of one attribute, and shows attributes it has no place for first', () => {
    expect(formatDistinguishedName({ OU: ['one', 'two'], CN: 'name', emailAddress: 'a@example.org' })).toBe(
      'emailAddress=a@example.org,CN=name,OU=one+OU=two',
    );
  });

  it('escapes what would read as another attribute', () => {
    expect(formatDistinguishedName({ CN: ' a,b+c"\\<>; ' })).toBe(String.raw`CN=\ a\,b\+c\"\\\<\>\;\ `);
    expect(formatDistinguishedName({ CN: '#1' })).toBe(String.raw`CN=\#1`);
    expect(formatDistinguishedName({})).toBe('');
  });
});

describe('readCertificate', () => {
  it.each([
    { pem: '', problem: { kind: 'not-pem' } },
    { pem: 'nonsense', problem: { kind: 'not-pem' } },
    { pem: '-----BEGIN CERTIFICATE-----\nAAAA', problem: { kind: 'not-pem' } },
    { pem: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END PUBLIC KEY-----', problem: { kind: 'not-pem' } },
    { pem: '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----', problem: { kind: 'other-block' } },
    {
      pem: '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----',
      problem: { kind: 'not-valid', reason: 'this is not an X.509 certificate' },
    },
    {
      pem: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
      problem: { kind: 'not-valid', reason: 'this is not an X.509 certificate' },
    },
  ])('says what is wrong with $pem', ({ pem, problem }) => {
    expect(readCertificate(pem)).toEqual(problem);
  });

  it('takes any text without hanging or throwing', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        const found = readCertificate(`-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----`);
        expect(found).not.toBeInstanceOf(X509Certificate);
      }),
    );
    expect(readCertificate(`-----BEGIN CERTIFICATE-----${' '.repeat(200_000)}`)).toEqual({ kind: 'not-pem' });
  });
});

describe('listenAddressProblem', () => {
  it.each([':0', ':8443', '0.0.0.0:8443', '192.0.2.1:443', '[::1]:8443', '[2001:db8::1]:65535'])(
    'finds none in %s',
    (address) => {
      expect(listenAddressProblem(address)).toBeUndefined();
    },
  );

  it.each([
    '',
    '8443',
    'localhost:8443',
    '192.0.2.1',
    '192.0.2.256:1',
    '::1:8443',
    '[192.0.2.1]:80',
    '[::1]',
    '[]:1',
    ':65536',
    ':-1',
    ':http',
    '1.2.3.4:5:6',
  ])('finds one in %j', (address) => {
    expect(listenAddressProblem(address)).toEqual(expect.any(String));
  });
});
