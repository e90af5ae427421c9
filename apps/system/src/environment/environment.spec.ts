import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bootImages } from './boot-images.ts';

describe('boot images', () => {
  it('are listed as the boot loader would take them: newest first, given up ones last', () => {
    const files = [
      'IncusOS_202611010000.efi',
      'IncusOS_202611200500+0-3.efi',
      'IncusOS_202611120410+2-1.efi',
      'Other_1.efi',
      'IncusOS_x.efi',
    ];
    expect(bootImages(files, 'IncusOS')).toEqual([
      { release: '202611120410', triesLeft: 2 },
      { release: '202611010000' },
      { release: '202611200500', triesLeft: 0 },
    ]);
  });

  it('keep every image that can be booted before every one that can not', () => {
    const image = fc.record({ release: fc.integer({ min: 1, max: 999_999 }), left: fc.option(fc.nat(3)) });
    fc.assert(
      fc.property(fc.array(image), (images) => {
        const files = images.map(({ release, left }) => `X_${release}${left === null ? '' : `+${left}`}.efi`);
        const exhausted = bootImages(files, 'X').map(({ triesLeft }) => triesLeft === 0);
        expect(exhausted).toEqual(exhausted.toSorted());
        expect(exhausted).toHaveLength(files.length);
      }),
    );
  });
});
