import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Destination, destinationMatcher, PatternError } from './destination.ts';

function tunnel(host: string, port = 443): Destination {
  const name = host.includes(':') ? `[${host}]` : host;
  return { url: `https://${name}${port === 443 ? '' : `:${port}`}`, host, port };
}

describe('a destination pattern', () => {
  it.each([
    ['*', tunnel('images.example.com'), true],
    ['images.example.com', tunnel('images.example.com'), true],
    ['images.example.com', tunnel('images.example.com.evil.test'), false],
    ['*.example.com', tunnel('images.example.com'), true],
    ['*.example.com', tunnel('example.com'), false],
    ['*.example.com', tunnel('imagesXexample.com'), false],
    ['IMAGES.example.com', tunnel('images.EXAMPLE.com'), true],
    ['image?.example.com', tunnel('images.example.com'), true],
    ['image?.example.com', tunnel('image.example.com'), false],
    ['a.test|*.b.test', tunnel('x.b.test'), true],
    ['a.test|*.b.test', tunnel('x.c.test'), false],
    ['!*.example.com', tunnel('images.example.com'), false],
    ['!*.example.com', tunnel('elsewhere.test'), true],
    ['!a.test|b.test', tunnel('b.test'), false],
    ['10.0.*', tunnel('10.0.7.9'), true],
    ['a.test:8443', tunnel('a.test', 8443), true],
    ['a.test:8443', tunnel('a.test'), false],
    ['a.test|b.test:8443', tunnel('a.test'), true],
    ['*:443', tunnel('anything.test'), true],
    ['https://*', tunnel('a.test'), true],
    ['http://*', tunnel('a.test'), false],
    ['http://a.test/pub/*', { url: 'http://a.test/pub/x', host: 'a.test', port: 80 }, true],
    ['http://a.test/pub/*', { url: 'http://a.test/other', host: 'a.test', port: 80 }, false],
    ['2001:db8::*', tunnel('2001:db8::1'), true],
    ['[2001:db8::1]:8443', tunnel('2001:db8::1', 8443), true],
    ['re:^(a|b)\\.test$', tunnel('b.test'), true],
    ['re:^(a|b)\\.test$', tunnel('c.test'), false],
    ['!re:^a', tunnel('b.test'), true],
    ['re:^https://a', tunnel('a.test'), true],
    ['a+b(.test', tunnel('a+b(.test'), true],
  ])('%s and %o: %s', (pattern, destination, expected) => {
    expect(destinationMatcher(pattern)(destination)).toBe(expected);
  });

  it.each(['', '!', 're:(', '!re:['])('%o is none', (pattern) => {
    expect(() => destinationMatcher(pattern)).toThrow(PatternError);
  });

  it('with wildcards means what the same regular expression means', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 12 });
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, (wildcards, host) => {
        const source = wildcards.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
        const expected = new RegExp(`^${source}$`, 'u').test(host);
        expect(destinationMatcher(wildcards)(tunnel(host))).toBe(expected);
      }),
    );
  });

  it('of many wildcards is decided at once', () => {
    const pattern = `${'*a'.repeat(200)}*b`;
    expect(destinationMatcher(pattern)(tunnel('a'.repeat(10_000)))).toBe(false);
  });
});
