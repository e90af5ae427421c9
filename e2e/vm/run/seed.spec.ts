import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mergedSeed, readSeed } from './seed.ts';

const ours = { 'incus.json': 'ours' };

describe('a seed', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'seed-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('is the seed files of a directory', async () => {
    mkdirSync(join(directory, 'network.d'));
    for (const name of ['network.yaml', 'install.json', 'README', '.hidden.json'])
      writeFileSync(join(directory, name), name);
    expect(await readSeed(directory)).toEqual({
      'install.json': 'install.json',
      'network.yaml': 'network.yaml',
    });
  });

  it('is the seed files of a tar', async () => {
    const tar = pack();
    const bytes = buffer(tar);
    tar.entry({ name: './network.yaml' }, 'a: 1\n');
    tar.entry({ name: 'notes.txt' }, 'none');
    tar.finalize();
    const path = join(directory, 'seed.tar');
    writeFileSync(path, await bytes);
    expect(await readSeed(path)).toEqual({ 'network.yaml': 'a: 1\n' });
  });

  it.each([
    ['an empty file', '', 'there are no seeds'],
    ['something else', 'x'.repeat(2_000), 'is no tar of seeds: '],
  ])('is refused when it is %s', async (_what, content, sentence) => {
    const path = join(directory, 'seed.tar');
    writeFileSync(path, content);
    await expect(readSeed(path)).rejects.toThrow(sentence);
  });

  it('is refused when a directory has none', async () => {
    await expect(readSeed(directory)).rejects.toThrow(
      `there are no seeds (*.yaml, *.yml, *.json) in ${directory}.`,
    );
  });

  it('has the client trusted unless it says itself whom to trust', () => {
    expect(mergedSeed({ 'network.yaml': 'n' }, ours)).toEqual({ 'network.yaml': 'n', ...ours });
    expect(mergedSeed({ 'incus.yaml': 'theirs' }, ours)).toEqual({ 'incus.yaml': 'theirs' });
  });
});
