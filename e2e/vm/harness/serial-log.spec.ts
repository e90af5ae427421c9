import { describe, expect, it } from 'vitest';
import { plainConsole } from './serial-log.ts';

describe('the text of a console', () => {
  it('has no orders to the terminal', () => {
    expect(plainConsole('\u001B[2J\u001B[01;01H\u001B[=3h[\u001B[0;32m  OK  \u001B[0m] Reached\r\n')).toBe(
      '[  OK  ] Reached\n',
    );
  });

  it('has no empty lines', () => {
    expect(plainConsole('a\r\n\r\n\r\nb\n')).toBe('a\nb\n');
  });
});
