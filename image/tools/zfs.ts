/** The kernel of the image and ZFS for it: Debian packages ZFS as source only, so its modules are built here, once. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Archive, PackageIndex } from './archive.ts';
import { cached, isCached, keyOf, logOf } from './cache.ts';
import type { Keys } from './keys.ts';
import { withoutSignatures } from './module-signature.ts';
import type { DebianPackage } from './packages.ts';
import { inside, makeRoot, tell } from './roots.ts';
import { part, say, UserError } from './sentence.ts';

/** The modules of ZFS for a kernel. */
export interface Zfs {
  /** A directory with `zfs.ko` and `spl.ko`, unsigned, and the kernel's `sign-file`. */
  readonly modules: string;
  /** The package whose source they are built from. */
  readonly source: DebianPackage;
}

/** The archive's kernel, as `uname -r` says it. */
export function kernelRelease(archive: Archive, index: PackageIndex): string {
  const meta = `linux-headers-${archive.architecture}`;
  const release = /\blinux-headers-(\S+)/u.exec(index.field(meta, 'Depends'))?.[1];
  if (release === undefined) throw new UserError(`the package ${meta} names no kernel.`);
  return release;
}

/** ZFS for a kernel, built on a machine of the kernel's architecture. */
export async function zfsFor(release: string, archive: Archive, index: PackageIndex): Promise<Zfs> {
  const zfs = index.version('zfs-dkms');
  const kernel = index.version(`linux-headers-${release}`);
  const name = `zfs-${keyOf(archive.architecture, release, kernel, zfs)}`;
  const title = `ZFS ${zfs} for Linux ${release}`;
  if (isCached(name)) say(`${title}: cached`);
  const modules = await cached(name, (partial) =>
    part(title, async (now) => {
      await build({ archive, release, name, partial, now });
    }),
  );
  return { modules, source: { name: 'zfs-dkms', version: zfs, architecture: 'all' } };
}

interface Build {
  readonly archive: Archive;
  readonly release: string;
  readonly name: string;
  readonly partial: string;
  readonly now: (what: string) => void;
}

async function build({ archive, release, name, partial, now }: Build): Promise<void> {
  const root = `${partial}.root`;
  rmSync(root, { recursive: true, force: true });
  const packages = ['build-essential', `linux-headers-${release}`, 'zfs-dkms', 'kmod', 'openssl', 'xz-utils'];
  await makeRoot(archive, root, packages, { log: logOf(`${name}-root`), now });
  // The package builds for the kernels that it finds; what it didn't build is built here, and fails aloud.
  const version = readdirSync(join(root, 'var/lib/dkms/zfs')).find((entry) => /^\d/u.test(entry));
  if (version === undefined) throw new UserError('the package zfs-dkms brought no source of ZFS.');
  now('making sure that the modules are built');
  await inside(root, ['dkms', 'install', `zfs/${version}`, '-k', release], {
    log: logOf(name),
    mounts: {},
    onLine: tell(/^((?:Building|Signing|Installing|Running) .+?)[. ]*$/u, now),
  });
  takeModules(root, release, partial);
  rmSync(root, { recursive: true, force: true });
}

function takeModules(root: string, release: string, target: string): void {
  mkdirSync(target, { recursive: true });
  const built = join(root, 'usr/lib/modules', release, 'updates/dkms');
  for (const name of readdirSync(built)) {
    if (/^(?:zfs|spl)\.ko/u.test(name)) cpSync(join(built, name), join(target, name));
  }
  const scripts = readdirSync(join(root, 'usr/lib')).find((name) => name.startsWith('linux-kbuild-'));
  if (scripts === undefined) throw new UserError("the kernel's build tools are missing.");
  cpSync(join(root, 'usr/lib', scripts, 'scripts/sign-file'), join(target, 'sign-file'));
}

/** Signs the modules with the Secure Boot key, which the kernel trusts as the firmware does. */
export async function signModules(
  tools: string,
  unsigned: string,
  keys: Keys,
  target: string,
): Promise<void> {
  const run = (script: string, log: string): Promise<void> =>
    inside(tools, ['sh', '-ec', script, 'sh', keys.private['secure-boot']], {
      log: logOf(log),
      mounts: { ...keys.mounts, '/modules': unsigned, '/target': target },
      directory: '/target',
      env: keys.env,
    });
  await run('cp /modules/*.ko* .; xz -dqf *.ko.xz || ls *.ko >/dev/null', 'unpack-modules');
  for (const name of readdirSync(target))
    writeFileSync(join(target, name), withoutSignatures(readFileSync(join(target, name))));
  await run(
    'for module in *.ko; do /modules/sign-file sha256 "$1" /keys/secure-boot.crt "$module"; done; xz --check=crc32 *.ko',
    'sign-modules',
  );
}
