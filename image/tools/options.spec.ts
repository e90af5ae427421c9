import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type BuildOptions, parseOptions, versionOf } from './options.ts';
import { UsageError } from './sentence.ts';

const directory = mkdtempSync(join(tmpdir(), 'options-'));
writeFileSync(join(directory, 'file'), '');
afterAll(() => rmSync(directory, { recursive: true }));

const printed: string[] = [];

function parse(...argv: string[]): BuildOptions | undefined {
  return parseOptions(argv, {
    directory,
    now: new Date('2026-11-20T07:05:59Z'),
    machine: 'x64',
    output: '/image/output',
    print: (text) => void printed.push(text),
  });
}

describe('the command line of npm run image', () => {
  it("builds the minute's version for this machine when nothing is said", () => {
    expect(parse()).toEqual({
      version: '202611200705',
      keys: undefined,
      architecture: 'amd64',
      imageServer: undefined,
      output: '/image/output',
      release: false,
      fresh: false,
      onlyTree: false,
    });
  });

  it('takes paths from where the command was given', () => {
    expect(parse('--keys', '.', '--output', 'out')).toMatchObject({
      keys: directory,
      output: join(directory, 'out'),
    });
  });

  it('prints its help and builds nothing', () => {
    expect(parse('--help')).toBeUndefined();
    expect(printed.join('')).toContain('--image-server <url>');
  });

  it.each([
    [['--version', '2026112007'], /2026112007 is no minute/u],
    [['--version', '202602300000'], /202602300000 is no minute/u],
    [['--version', '202611202460'], /is no minute/u],
    [['--version', 'latest'], /latest is no minute/u],
    [['--version'], /argument missing/u],
    [['--arch', 'riscv64'], /riscv64.*Allowed choices are amd64, arm64/u],
    [['--keys', 'nowhere'], /there is no directory .*nowhere/u],
    [['--keys', 'file'], /file is not a directory/u],
    [['--output', 'file'], /file is not a directory/u],
    [['--image-server', 'ftp://releases'], /ftp:\/\/releases is not an http or https URL/u],
    [['--image-server', 'releases'], /not an http or https URL/u],
    [['--sign'], /unknown option '--sign'.*--help/u],
    [['arm64'], /too many arguments/u],
  ])('refuses %j with a sentence', (argv, sentence) => {
    expect(() => parse(...argv)).toThrow(sentence);
    expect(() => parse(...argv)).toThrow(UsageError);
  });

  it('gives a version the minute in UTC', () => {
    expect(versionOf(new Date('2026-01-02T03:04:59.999Z'))).toBe('202601020304');
  });

  it('ends with exit code 2 and one line, before anything is done', () => {
    const main = join(import.meta.dirname, 'main.ts');
    const cache = join(directory, 'cache');
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, '--arch', 'm68k'], {
      encoding: 'utf8',
      env: { ...process.env, XDG_CACHE_HOME: cache },
    });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^option '--arch <architecture>' argument 'm68k' is invalid.*\n$/u);
  });
});
