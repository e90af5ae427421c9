import { describe, expect, it } from 'vitest';
import { minuteAfter } from './kept-machines.ts';

describe('the version of a newer release', () => {
  it('is the next minute', () => {
    expect(minuteAfter('202611200626')).toBe('202611200627');
  });

  it('goes over the ends of hours, days and years', () => {
    expect(minuteAfter('202612312359')).toBe('202701010000');
    expect(minuteAfter('202802282359')).toBe('202802290000');
  });
});
