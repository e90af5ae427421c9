import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isNewer, isVersion } from './version.ts';

describe('versions', () => {
  it.each([
    ['202511041601', '202511041600', true],
    ['202511041601', '202511041601', false],
    ['202511041600', '202511041601', false],
    ['202511041601', '', false],
    ['latest', '202511041601', false],
    ['202511041601', 'latest', false],
  ])('%s newer than %s: %s', (version, than, expected) => {
    expect(isNewer(version, than)).toBe(expected);
  });

  it('orders numbers, of two different ones exactly one is newer', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n }), fc.bigInt({ min: 0n }), (a, b) => {
        expect(isNewer(String(a), String(b))).toBe(a > b);
      }),
    );
  });

  it('knows twelve digits as a version and nothing else', () => {
    expect(isVersion('202511041601')).toBe(true);
    for (const other of [
      '',
      '20251104160',
      '2025110416011',
      '20251104160x',
      ' 202511041601',
      '202511041601\n',
    ]) {
      expect(isVersion(other), other).toBe(false);
    }
  });
});
