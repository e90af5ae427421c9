/** One run of mkosi: the tree of files becomes partitions, a signed kernel and a disk. */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Archive, sourceFile } from './archive.ts';
import { cacheDirectory } from './cache.ts';
import { output } from './programs.ts';
import { inside } from './roots.ts';
import { UserError } from './sentence.ts';

const image = join(import.meta.dirname, '..');
const configuration = [
  'mkosi.conf',
  'mkosi.conf.d',
  'mkosi.finalize',
  'mkosi.extra',
  'mkosi.repart',
  'initrd',
];
const mkosiArchitectures: Readonly<Record<string, string>> = { amd64: 'x86-64', arm64: 'arm64' };

export interface MkosiOptions {
  readonly archive: Archive;
  readonly tools: string;
  readonly version: string;
  readonly kernelRelease: string;
  readonly keys: string;
  /** The tree of our own files. */
  readonly stage: string;
  /** Where the results go; what is there already is replaced. */
  readonly output: string;
}

/** Makes the image. Its packages are kept from build to build by their list and the kernel. */
export async function runMkosi(options: MkosiOptions): Promise<void> {
  const { archive, keys, kernelRelease, version } = options;
  const work = join(cacheDirectory(), `mkosi-${archive.architecture}`);
  const conf = join(work, 'conf');
  rmSync(conf, { recursive: true, force: true });
  for (const name of configuration)
    cpSync(join(image, name), join(conf, name), { recursive: true, preserveTimestamps: true });
  const sources = join(conf, 'mkosi.sandbox/etc/apt/sources.list.d');
  mkdirSync(sources, { recursive: true });
  // By this name it takes the place of mkosi's own list, which has suites that mirrors don't carry.
  writeFileSync(join(sources, 'mkosi.sources'), sourceFile(archive));
  const results = join(work, 'output');
  rmSync(results, { recursive: true, force: true });
  for (const name of ['output', 'cache', 'packages', 'workspace'])
    mkdirSync(join(work, name), { recursive: true });
  const architecture = mkosiArchitectures[archive.architecture];
  if (architecture === undefined) throw new UserError(`there is no image for ${archive.architecture}.`);
  await inside(
    options.tools,
    [
      'mkosi',
      '--directory=/work/conf',
      `--architecture=${architecture}`,
      `--image-version=${version}`,
      `--source-date-epoch=${commitTime()}`,
      // Of the version alone, so that partitions and file systems get the same identifiers in every build of it.
      `--seed=${seedOf(version)}`,
      `--package=linux-image-${kernelRelease}`,
      '--extra-tree=/stage',
      '--output-directory=/work/output',
      '--cache-directory=/work/cache',
      '--package-cache-dir=/work/packages',
      '--workspace-directory=/work/workspace',
      '--secure-boot-key=/keys/secure-boot.key',
      '--secure-boot-certificate=/keys/secure-boot.crt',
      '--verity-key=/keys/verity.key',
      '--verity-certificate=/keys/verity.crt',
      '--sign-expected-pcr-key=/keys/pcr.key',
      '--sign-expected-pcr-certificate=/keys/pcr.crt',
      '--force',
      'build',
    ],
    {
      log: join(work, 'build.log'),
      mounts: { '/work': work, '/keys': keys, '/stage': options.stage },
      directory: '/work/conf',
    },
  );
  mkdirSync(options.output, { recursive: true });
  for (const name of readdirSync(options.output)) {
    if (name.startsWith('IncusOS_')) rmSync(join(options.output, name), { recursive: true });
  }
  for (const name of readdirSync(results)) {
    if (name === `IncusOS_${version}` || !name.startsWith('IncusOS_')) continue;
    move(join(results, name), join(options.output, name));
  }
  if (!existsSync(join(options.output, `IncusOS_${version}.raw`)))
    throw new UserError(`mkosi made no disk image; its log is ${join(work, 'build.log')}`);
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

/** When the sources were committed: the time of every file in the image. */
function commitTime(): string {
  return output(['git', '-C', image, 'log', '-1', '--format=%ct']).trim();
}
