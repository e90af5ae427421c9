import { describe, expect, it } from 'vitest';
import { ChangeSignal } from './change-signal.ts';

describe('a change signal', () => {
  function counter() {
    const signal = new ChangeSignal();
    let value = 0;
    return {
      set: (next: number) => {
        value = next;
        signal.announce();
      },
      follow: (until: AbortSignal) => signal.follow(() => value, until),
    };
  }

  it('gives a reader the value at once and after a change', async () => {
    const { set, follow } = counter();
    const reader = follow(new AbortController().signal);
    expect(await reader.next()).toEqual({ done: false, value: 0 });
    const next = reader.next();
    set(1);
    expect(await next).toEqual({ done: false, value: 1 });
  });

  it('keeps a change for a reader that was busy when it came', async () => {
    const { set, follow } = counter();
    const reader = follow(new AbortController().signal);
    await reader.next();
    set(1);
    set(2);
    expect(await reader.next()).toEqual({ done: false, value: 2 });
  });

  it('says nothing of an announcement that changed nothing', async () => {
    const { set, follow } = counter();
    const end = new AbortController();
    const reader = follow(end.signal);
    await reader.next();
    const next = reader.next();
    set(0);
    await new Promise((resolve) => setImmediate(resolve));
    end.abort();
    expect(await next).toEqual({ done: true, value: undefined });
  });

  it('ends with its reader', async () => {
    const end = new AbortController();
    const reader = counter().follow(end.signal);
    await reader.next();
    const next = reader.next();
    end.abort();
    expect(await next).toEqual({ done: true, value: undefined });
  });
});
