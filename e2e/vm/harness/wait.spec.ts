import { describe, expect, it } from 'vitest';
import { GaveUp, until } from './wait.ts';

describe('waiting', () => {
  it('ends with the first answer, whatever failed before', async () => {
    let asked = 0;
    const ask = (): number | undefined => {
      asked += 1;
      if (asked === 1) throw new Error('not yet');
      return asked === 3 ? asked : undefined;
    };
    await expect(until('a third time', 60_000, ask, { everyMs: 1 })).resolves.toBe(3);
  });

  it('says at its limit what was waited for, and why it failed last', async () => {
    const never = until('peace', 0, () => Promise.reject(new Error('war')), { everyMs: 5 });
    await expect(never).rejects.toMatchObject({
      message: 'peace did not happen within 0 s',
      cause: new Error('war'),
    });
  });

  it('ends at once when there is no hope', async () => {
    const hopeless = until('rain', 60_000, () => {
      throw new GaveUp('it is a desert');
    });
    await expect(hopeless).rejects.toThrow('it is a desert');
  });
});
