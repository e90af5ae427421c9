import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { layoutOf } from '../directory.ts';
import { claim } from './instance.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'claim-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

it('a directory belongs to one appliance at a time', async () => {
  const layout = layoutOf(directory);
  const first = await claim(layout);
  await expect(claim(layout)).rejects.toThrow(`an appliance is already running in ${directory}`);
  await new Promise((resolve) => first.close(resolve));
  const second = await claim(layout);
  await new Promise((resolve) => second.close(resolve));
});
