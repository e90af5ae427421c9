import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalFiles } from './files.ts';
import { readTimeZone } from './time-zone.ts';

describe("the machine's time zone", () => {
  let directory: string;
  let files: LocalFiles;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'time-zone-'));
    files = new LocalFiles(directory);
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('is UTC as long as none is set', async () => {
    expect(await readTimeZone(files)).toBe('UTC');
  });

  it.each([
    ['/usr/share/zoneinfo/Europe/Vienna', 'Europe/Vienna'],
    ['../usr/share/zoneinfo/America/Argentina/Salta', 'America/Argentina/Salta'],
    ['../usr/share/zoneinfo/Mars/Olympus', 'UTC'],
    ['/elsewhere', 'UTC'],
  ])('is what %s leads to: %s', async (target, zone) => {
    await files.makeSymlink(target, '/etc/localtime');
    expect(await readTimeZone(files)).toBe(zone);
  });
});
