import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SerialReader } from './serial-reader.ts';

describe('the log of a serial port', () => {
  let directory: string;
  let path: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'serial-'));
    path = join(directory, 'serial.log');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('is read as it grows, in whole lines', () => {
    const reader = new SerialReader(path);
    expect(reader.next()).toBe('');
    writeFileSync(path, 'one\r\ntw');
    expect(reader.next()).toBe('one\n');
    appendFileSync(path, 'o \u2026\r\n');
    expect(reader.next()).toBe('two \u2026\n');
    expect(reader.next()).toBe('');
  });

  it('begins anew when the machine is switched on again', () => {
    const reader = new SerialReader(path);
    writeFileSync(path, 'one\ntwo\n');
    reader.next();
    writeFileSync(path, 'new\n');
    expect(reader.next()).toBe('new\n');
    rmSync(path);
    expect(reader.next()).toBe('');
    writeFileSync(path, 'newer than that\n');
    expect(reader.next()).toBe('newer than that\n');
  });
});
