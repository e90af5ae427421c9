import { afterEach, expect, it, vi } from 'vitest';
import { Progress } from './progress.ts';

afterEach(() => {
  vi.useRealTimers();
});

function output(isTTY: boolean): {
  readonly isTTY: boolean;
  readonly columns: number;
  text: string;
  write(text: string): void;
} {
  return {
    ...{ isTTY, columns: 30, text: '' },
    write(text: string) {
      this.text += text;
    },
  };
}

it('a file gets a line for each thing that happened, and nothing else', () => {
  const file = output(false);
  const progress = new Progress(file);
  progress.wait('the firmware');
  progress.say('the kernel runs');
  progress.rest();
  expect(file.text).toMatch(/^\[ +0 s\] the kernel runs\n$/u);
});

it('a terminal is shown what is waited for, in one line that is wiped', () => {
  vi.useFakeTimers();
  const terminal = output(true);
  const progress = new Progress(terminal);
  progress.wait('something that takes rather long');
  vi.advanceTimersByTime(1_000);
  progress.say('done');
  progress.rest();
  const shown = terminal.text.split(/\r\u001B\[K|\n/u);
  expect(shown.every((part) => part.length < 30)).toBe(true);
  expect(shown.some((part) => part.includes('something that'))).toBe(true);
  expect(shown).toContainEqual(expect.stringMatching(/^\[ +1 s\] done$/u));
  expect(terminal.text.endsWith('\r\u001B[K')).toBe(true);
});
