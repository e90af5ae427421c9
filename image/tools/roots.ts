/** Debian trees in which programs run that this machine doesn't have, or has too old. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Archive, archiveKeyrings, release, sourceLines } from './archive.ts';
import { cached, cacheDirectory, keyOf } from './cache.ts';
import { output, step } from './programs.ts';
import { say } from './sentence.ts';

/** With what mkosi, the keys and the virtual machines are made. */
const toolPackages = [
  'apt-utils',
  'bubblewrap',
  'ca-certificates',
  'cpio',
  'cryptsetup-bin',
  'debian-archive-keyring',
  'dosfstools',
  'e2fsprogs',
  'erofs-utils',
  'fdisk',
  'kmod',
  'libtss2-esys-3.0.2-0t64',
  'libtss2-mu-4.0.1-0t64',
  'libtss2-rc0t64',
  'libtss2-tcti-device0t64',
  'mkosi',
  'mtools',
  'openssl',
  'ovmf',
  'python3-cryptography',
  'python3-pefile',
  'qemu-system-x86',
  'qemu-utils',
  'sbsigntool',
  'squashfs-tools',
  'swtpm',
  'swtpm-tools',
  'systemd',
  'systemd-boot',
  'systemd-boot-efi',
  'systemd-boot-tools',
  'systemd-repart',
  'systemd-ukify',
  'uidmap',
  'util-linux',
  'xz-utils',
  'zstd',
];

/** The root with the tools, made once for a list of packages. */
export function toolsRoot(archive: Archive): Promise<string> {
  return cached(`tools-${keyOf(release, archive.architecture, ...toolPackages)}`, async (partial) => {
    say('making the root with the tools (mkosi, QEMU, firmware) …');
    await makeRoot(archive, partial, toolPackages);
  });
}

/** Installs Debian with these packages into a directory. */
export async function makeRoot(
  archive: Archive,
  directory: string,
  packages: readonly string[],
): Promise<void> {
  const bootstrap = await mmdebstrap();
  await step(
    [
      'perl',
      bootstrap,
      '--mode=root',
      '--variant=apt',
      `--architectures=${archive.architecture}`,
      ...archiveKeyrings().map((path) => `--keyring=${path}`),
      '--aptopt=Apt::Install-Recommends "false"',
      '--aptopt=APT::Sandbox::User "root"',
      `--include=${packages.join(',')}`,
      release,
      directory,
      ...sourceLines(archive),
    ],
    { log: `${directory}.log` },
  );
}

/** mmdebstrap, unpacked from this machine's archive and not installed. */
async function mmdebstrap(): Promise<string> {
  const version = output(['apt-cache', 'policy', 'mmdebstrap']);
  const root = await cached(`mmdebstrap-${keyOf(version)}`, async (partial) => {
    mkdirSync(partial, { recursive: true });
    const log = `${partial}.log`;
    await step(['apt-get', '-o', 'APT::Sandbox::User=root', '-qq', 'download', 'mmdebstrap'], {
      log,
      directory: partial,
    });
    const archive = readdirSync(partial).find((name) => name.endsWith('.deb')) ?? '';
    await step(['dpkg-deb', '-x', join(partial, archive), partial], { log });
  });
  return join(root, 'usr/bin/mmdebstrap');
}

export interface InsideOptions {
  readonly log: string;
  /** Directories of this machine by their path inside. */
  readonly mounts: Readonly<Record<string, string>>;
  readonly directory?: string;
}

/** The argv that runs a program with `root` as its root directory. */
export function insideArgv(
  root: string,
  mounts: Readonly<Record<string, string>>,
  argv: readonly string[],
  directory = '/',
): [string, ...string[]] {
  const pairs = Object.entries(mounts).flatMap(([inside, outside]) => [outside, inside]);
  return [join(import.meta.dirname, 'enter-root'), root, directory, ...pairs, '--', ...argv];
}

/** Runs a program with `root` as its root directory. */
export async function inside(root: string, argv: readonly string[], options: InsideOptions): Promise<void> {
  await step(insideArgv(root, options.mounts, argv, options.directory), {
    log: options.log,
    env: { TMPDIR: undefined },
  });
}

/** A directory on the machine's disk for the time of a call; not in memory, since images are large. */
export async function withScratch<R>(work: (directory: string) => Promise<R>): Promise<R> {
  const base = join(cacheDirectory(), 'scratch');
  mkdirSync(base, { recursive: true });
  const directory = mkdtempSync(join(base, 'run-'));
  try {
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
