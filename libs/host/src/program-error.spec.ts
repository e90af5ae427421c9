import { describe, expect, it, vi } from 'vitest';
import { ProgramError } from './program-error.ts';

describe('the error of a program', () => {
  const facts = ['failed', 'zpool', 'no such pool', 1, 'zpool failed'] as const;

  it('is recognised when it comes from another copy of this module, as that of the emulated machine', async () => {
    vi.resetModules();
    const copy = await import('./program-error.ts');
    const error: unknown = new copy.ProgramError(...facts);
    expect(copy.ProgramError).not.toBe(ProgramError);
    expect(error instanceof ProgramError).toBe(true);
    expect(new ProgramError(...facts) instanceof copy.ProgramError).toBe(true);
  });

  it('is no other error', () => {
    expect(new Error('failed') instanceof ProgramError).toBe(false);
    expect(Object.assign(new Error('x'), { name: 'ProgramError' }) instanceof ProgramError).toBe(false);
    expect({ name: 'ProgramError', failure: 'failed', program: 'x' } instanceof ProgramError).toBe(false);
  });
});
