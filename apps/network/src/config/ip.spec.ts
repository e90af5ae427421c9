import { SocketAddress } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contains, isLinkLocal, isNoUnicast, networkText, parseIp, parseSubnet } from './ip.ts';

const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 });

describe('an address', () => {
  it('is the same number in whatever form it was written', () => {
    fc.assert(
      fc.property(groups, (parts) => {
        const long = parts.map((part) => part.toString(16).padStart(4, '0')).join(':');
        const short = new SocketAddress({ address: long, family: 'ipv6' }).address;
        const value = parts.reduce((sum, part) => sum * 65_536n + BigInt(part), 0n);
        expect(parseIp(long)).toEqual({ family: 6, value });
        expect(parseIp(long.toUpperCase())).toEqual({ family: 6, value });
        expect(parseIp(short)).toEqual({ family: 6, value });
      }),
    );
  });

  it.each([
    ['0.0.0.0', 4, 0n],
    ['192.0.2.1', 4, 0xc0000201n],
    ['::', 6, 0n],
    ['::1', 6, 1n],
    ['::ffff:192.0.2.1', 6, 0xffffc0000201n],
    ['::192.0.2.1', 6, 0xc0000201n],
    ['2001:db8::', 6, 0x20010db8n << 96n],
  ] as const)('%s is number %i of its family', (text, family, value) => {
    expect(parseIp(text)).toEqual({ family, value });
  });

  it.each(['', 'x', '1.2.3', '010.0.0.1', 'fe80::1%eth0', '1.2.3.4/8', ' ::1'])('is not %s', (text) => {
    expect(parseIp(text)).toBeUndefined();
  });
});

describe('a network', () => {
  it('has the addresses that share its prefix', () => {
    fc.assert(
      fc.property(groups, fc.integer({ min: 0, max: 128 }), groups, (parts, prefix, others) => {
        const text = (list: readonly number[]): string => list.map((part) => part.toString(16)).join(':');
        const bits = (list: readonly number[]): string =>
          list.map((part) => part.toString(2).padStart(16, '0')).join('');
        const subnet = parseSubnet(`${text(parts)}/${prefix}`);
        const other = parseIp(text(others));
        if (subnet === undefined || other === undefined) throw new Error('not parsed');
        expect(contains(subnet, subnet)).toBe(true);
        expect(contains(subnet, other)).toBe(bits(parts).slice(0, prefix) === bits(others).slice(0, prefix));
      }),
    );
  });

  it.each([
    '192.0.2.1',
    '192.0.2.1/33',
    '192.0.2.1/024',
    '::/129',
    '192.0.2.1/',
    'x/8',
    '1.2.3.4/-1',
    '::1/64/64',
  ])('is not %s', (text) => {
    expect(parseSubnet(text)).toBeUndefined();
  });
});

it.each([
  ['192.0.2.1', false, false],
  ['0.0.0.0', true, false],
  ['127.0.0.53', true, false],
  ['239.1.2.3', true, false],
  ['255.255.255.255', true, false],
  ['::', true, false],
  ['::1', true, false],
  ['::2', false, false],
  ['ff02::1', true, false],
  ['fe80::1', false, true],
  ['2001:db8::1', false, false],
])('%s: no address of one device %s, of one link only %s', (text, none, link) => {
  const ip = parseIp(text) ?? { family: 4, value: -1n };
  expect([isNoUnicast(ip), isLinkLocal(ip)]).toEqual([none, link]);
});

describe('the network of an address', () => {
  it.each([
    ['192.0.2.77/25', '192.0.2.0/25'],
    ['192.0.2.128/25', '192.0.2.128/25'],
    ['10.1.2.3/0', '0.0.0.0/0'],
    ['2001:db8::1/61', '2001:db8:0:0:0:0:0:0/61'],
    ['2001:db8::/32', '2001:db8::/32'],
    ['nothing', 'nothing'],
  ])('of %s is %s', (text, network) => {
    expect(networkText(text)).toBe(network);
  });

  it('has the same first address and prefix', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(128), (address, bits) => {
        const subnet = parseSubnet(`${address}/${address.includes(':') ? bits : bits % 33}`);
        fc.pre(subnet !== undefined);
        const text = networkText(`${address}/${subnet.prefix}`);
        expect(parseSubnet(text)).toMatchObject({
          value: subnet.first,
          first: subnet.first,
          prefix: subnet.prefix,
        });
      }),
    );
  });
});
