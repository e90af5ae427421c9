/** One run of mkosi: the tree of files becomes partitions, a signed kernel and a disk. */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Archive, sourceFile } from './archive.ts';
import { cacheDirectory } from './cache.ts';
import type { Emulation } from './emulation.ts';
import type { Keys } from './keys.ts';
import type { Architecture } from './options.ts';
import { output } from './programs.ts';
import { inside, tell } from './roots.ts';
import { UserError } from './sentence.ts';

const image = join(import.meta.dirname, '..');
const configuration = [
  'mkosi.conf',
  'mkosi.conf.d',
  'mkosi.finalize',
  'mkosi.extra',
  'mkosi.repart',
  'mkosi.images',
  'programs',
];
/** Links stay as they are: into the tree that they are part of. */
const copying = { recursive: true, preserveTimestamps: true, verbatimSymlinks: true };
const mkosiArchitectures: Readonly<Record<Architecture, string>> = { amd64: 'x86-64', arm64: 'arm64' };

export interface MkosiOptions {
  readonly architecture: Architecture;
  readonly archive: Archive;
  readonly tools: string;
  readonly version: string;
  readonly kernelRelease: string;
  readonly keys: Keys;
  readonly emulation: Emulation;
  /** The tree of our own files. */
  readonly stage: string;
  /** Stop with the tree of the root file system. */
  readonly onlyTree: boolean;
  /** Told what is being done. */
  readonly now: (what: string) => void;
}

/** Where mkosi works, with the packages that it keeps. */
export function workDirectory(architecture: Architecture): string {
  return join(cacheDirectory(), `mkosi-${architecture}`);
}

/**
 * Makes the image.
 * @returns the directory with the results, which the next run empties.
 */
export async function runMkosi(options: MkosiOptions): Promise<string> {
  const { architecture, archive, keys, kernelRelease, version } = options;
  const work = workDirectory(architecture);
  const conf = join(work, 'conf');
  const results = join(work, 'output');
  // An interrupted run leaves its workspace.
  for (const directory of [conf, results, join(work, 'workspace')])
    rmSync(directory, { recursive: true, force: true });
  for (const name of configuration)
    if (existsSync(join(image, name))) cpSync(join(image, name), join(conf, name), copying);
  const sources = join(conf, 'mkosi.sandbox/etc/apt/sources.list.d');
  mkdirSync(sources, { recursive: true });
  // By this name it takes the place of mkosi's own list, which has suites that mirrors don't carry.
  writeFileSync(join(sources, 'mkosi.sources'), sourceFile(archive));
  for (const name of ['output', 'cache', 'packages', 'workspace'])
    mkdirSync(join(work, name), { recursive: true });
  const log = join(work, 'build.log');
  await inside(
    options.tools,
    [
      ...options.emulation.argv,
      'mkosi',
      '--directory=/build/conf',
      `--architecture=${mkosiArchitectures[architecture]}`,
      `--image-version=${version}`,
      `--source-date-epoch=${commitTime()}`,
      // Of the version alone, so that partitions and file systems get the same identifiers in every build of it.
      `--seed=${seedOf(version)}`,
      `--package=linux-image-${kernelRelease}`,
      '--extra-tree=/stage',
      '--output-directory=/build/output',
      '--cache-directory=/build/cache',
      '--package-cache-dir=/build/packages',
      '--workspace-directory=/build/workspace',
      ...signing(keys),
      ...(options.onlyTree ? ['--format=directory', '--bootable=no', '--split-artifacts='] : []),
      '--force',
      'build',
    ],
    {
      log,
      mounts: { ...keys.mounts, ...options.emulation.mounts, '/build': work, '/stage': options.stage },
      directory: '/build/conf',
      // Its own steps, not those of what it makes on the way.
      onLine: tell(/^‣ {1,2}([^\s/].*?)[.…]*$/u, options.now),
    },
  );
  const made = options.onlyTree ? `IncusOS_${version}` : `IncusOS_${version}.raw`;
  if (!existsSync(join(results, made))) throw new UserError(`mkosi made no ${made}; its log is ${log}`);
  return results;
}

/** How each of mkosi's signatures is made. */
function signing(keys: Keys): string[] {
  const source = (inToken: boolean): string => (inToken ? 'provider:pkcs11' : 'file');
  return [
    `--secure-boot-key=${keys.private['secure-boot']}`,
    `--secure-boot-key-source=${source(keys.inToken['secure-boot'])}`,
    '--secure-boot-certificate=/keys/secure-boot.crt',
    `--verity-key=${keys.private.verity}`,
    `--verity-key-source=${source(keys.inToken.verity)}`,
    '--verity-certificate=/keys/verity.crt',
    `--sign-expected-pcr-key=${keys.private.pcr}`,
    `--sign-expected-pcr-key-source=${source(keys.inToken.pcr)}`,
    '--sign-expected-pcr-certificate=/keys/pcr.crt',
    // Its own environment doesn't reach the programs that it runs.
    ...Object.entries(keys.env).map(([name, value]) => `--environment=${name}=${value}`),
  ];
}

/** Moves the files of a version to where the caller wants them, in the place of another version's. */
export function takeResults(results: string, version: string, target: string): void {
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(target)) {
    if (name.startsWith('IncusOS_')) rmSync(join(target, name), { recursive: true });
  }
  for (const name of readdirSync(results)) {
    // What has no ending is a link to the disk; the manifest of mkosi's is in ours.
    if (!name.startsWith(`IncusOS_${version}.`) || name.endsWith('.manifest')) continue;
    move(join(results, name), join(target, name));
  }
}

/** Keeps holes, which a copy across file systems would fill. */
function move(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch {
    output(['cp', '--sparse=always', from, to]);
    rmSync(from);
  }
}

/** A UUID that belongs to a version. */
function seedOf(version: string): string {
  const hex = createHash('sha256').update(`IncusOS ${version}`).digest('hex');
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/u, '$1-$2-4$3-8$4-$5');
}

/** Also when the checkout belongs to another user than root. */
const git = ['git', '-c', 'safe.directory=*', '-C', image] as const;

/** Whether the checkout has changes that are in no commit: an image of it can't be made again. */
export function hasUncommittedChanges(): boolean {
  return output([...git, 'status', '--porcelain', '--untracked-files=no']).trim() !== '';
}

/** When the sources were committed, in seconds since 1970: the time of every file in the image. */
export function commitTime(): number {
  return Number(output([...git, 'log', '-1', '--format=%ct']));
}
