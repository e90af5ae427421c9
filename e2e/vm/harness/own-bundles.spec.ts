import { describe, expect, it } from 'vitest';
import { ownServices } from './own-bundles.ts';

describe('services of this checkout in a restored machine', () => {
  it('are none unless they are named', () => {
    expect(ownServices('')).toEqual([]);
    expect(ownServices('network,gateway')).toEqual(['network', 'gateway']);
  });

  it('have to be services', () => {
    expect(() => ownServices('network,emulator')).toThrow('there is no service emulator; ');
  });
});
