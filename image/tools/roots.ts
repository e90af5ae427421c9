/** Debian trees in which programs run that this machine doesn't have, or has too old. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Archive, archiveKeyrings, type PackageIndex, release, sourceLines } from './archive.ts';
import { cached, cacheDirectory, isCached, keyOf, logOf, removeAbandoned } from './cache.ts';
import { type DebianPackage, outdated, parseStatus } from './packages.ts';
import { contained, output, step } from './programs.ts';
import { part, say } from './sentence.ts';

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
  'libfaketime',
  'libtss2-esys-3.0.2-0t64',
  'libtss2-mu-4.0.1-0t64',
  'libtss2-rc0t64',
  'libtss2-tcti-device0t64',
  'mkosi',
  'mtools',
  'openssl',
  'p11-kit-modules',
  'pkcs11-provider',
  'python3-cryptography',
  'python3-pefile',
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
/** What is for machines of one architecture: QEMU and its firmware. */
const machinePackages: Readonly<Record<string, readonly string[]>> = {
  amd64: ['ovmf', 'qemu-system-x86'],
  arm64: ['qemu-efi-aarch64', 'qemu-system-arm'],
};

/**
 * The root with the tools, made once for a list of packages.
 * @param index when it is given, the root is made anew if the archive has newer packages: what makes an image decides
 * what is in it.
 */
export function toolsRoot(archive: Archive, index?: PackageIndex): Promise<string> {
  const packages = [...toolPackages, ...(machinePackages[archive.architecture] ?? [])];
  const name = `tools-${keyOf(release, archive.architecture, ...packages)}`;
  const title = 'root with the tools (mkosi, QEMU, firmware)';
  const changed = index === undefined ? undefined : outdatedIn(join(cacheDirectory(), name), index);
  if (changed !== undefined) {
    say(`${title}: anew, for the archive has another ${changed.name} than ${changed.version}`);
    // Machines may run in it: it stays under another name until nobody used it for a while.
    renameSync(
      join(cacheDirectory(), name),
      join(cacheDirectory(), `tools-${keyOf(name, String(Date.now()))}`),
    );
  } else if (index !== undefined && isCached(name)) say(`${title}: cached`);
  return cached(name, (partial) =>
    part(title, (now) => makeRoot(archive, partial, packages, { log: logOf(name), now })),
  );
}

/** A package of a tree that the archive has in another version now. */
function outdatedIn(root: string, index: PackageIndex): DebianPackage | undefined {
  const status = join(root, 'var/lib/dpkg/status');
  if (!existsSync(status)) return undefined;
  const packages = parseStatus(readFileSync(status, 'utf8'));
  return outdated(packages, index.candidates(packages.map(({ name }) => name)))[0];
}

export interface MakeRootOptions {
  readonly log: string;
  /** Told what is being done. */
  readonly now: (what: string) => void;
  /** Of mmdebstrap, beside those that every root is made with. */
  readonly more?: readonly string[];
}

/** Installs Debian with these packages into a directory. */
export async function makeRoot(
  archive: Archive,
  directory: string,
  packages: readonly string[],
  { log, now, more = [] }: MakeRootOptions,
): Promise<void> {
  const bootstrap = await mmdebstrap();
  await step(
    [
      ...contained,
      '--mount-proc',
      'perl',
      bootstrap,
      '--mode=root',
      '--variant=apt',
      `--architectures=${archive.architecture}`,
      ...archiveKeyrings().map((path) => `--keyring=${path}`),
      '--aptopt=Apt::Install-Recommends "false"',
      '--aptopt=APT::Sandbox::User "root"',
      `--include=${packages.join(',')}`,
      ...more,
      release,
      directory,
      ...sourceLines(archive),
    ],
    { log, name: 'mmdebstrap', onLine: tell(/^I: (?!success)(.+?)(?:\.\.\.)?$/u, now) },
  );
}

/** mmdebstrap, unpacked from this machine's archive and not installed. */
async function mmdebstrap(): Promise<string> {
  const version = output(['apt-cache', 'policy', 'mmdebstrap']);
  const root = await cached(`mmdebstrap-${keyOf(version)}`, async (partial) => {
    mkdirSync(partial, { recursive: true });
    const log = logOf('mmdebstrap');
    await step(['apt-get', '-o', 'APT::Sandbox::User=root', '-qq', 'download', 'mmdebstrap'], {
      log,
      directory: partial,
    });
    const archive = readdirSync(partial).find((name) => name.endsWith('.deb')) ?? '';
    await step(['dpkg-deb', '-x', join(partial, archive), partial], { log });
  });
  return join(root, 'usr/bin/mmdebstrap');
}

/** Passes on what the lines of a program that match say it does. */
export function tell(pattern: RegExp, now: (what: string) => void): (line: string) => void {
  return (line) => {
    const what = pattern.exec(line)?.[1];
    if (what !== undefined) now(what);
  };
}

export interface InsideOptions {
  readonly log: string;
  /** Directories of this machine by their path inside. */
  readonly mounts: Readonly<Record<string, string>>;
  readonly directory?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly onLine?: (line: string) => void;
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

/** Runs a program with `root` as its root directory; all that it starts ends with it. */
export async function inside(root: string, argv: readonly string[], options: InsideOptions): Promise<void> {
  await step([...contained, ...insideArgv(root, options.mounts, argv, options.directory)], {
    log: options.log,
    name: argv[0] ?? '',
    env: { TMPDIR: undefined, ...options.env },
    ...(options.onLine === undefined ? {} : { onLine: options.onLine }),
  });
}

/** A directory on the machine's disk for the time of a call; not in memory, since images are large. */
export async function withScratch<R>(work: (directory: string) => Promise<R>): Promise<R> {
  const base = join(cacheDirectory(), 'scratch');
  mkdirSync(base, { recursive: true });
  removeAbandoned(base);
  const directory = mkdtempSync(join(base, `run.${process.pid}.partial-`));
  try {
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
