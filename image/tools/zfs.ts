/** The kernel of the image and ZFS for it: Debian packages ZFS as source only, so its modules are built here, once. */
import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Archive, PackageIndex } from './archive.ts';
import { cached, keyOf } from './cache.ts';
import { inside, makeRoot } from './roots.ts';
import { say, UserError } from './sentence.ts';

export interface Kernel {
  /** As in `uname -r`. */
  readonly release: string;
  /** A directory with `zfs.ko` and `spl.ko`, unsigned, and the kernel's `sign-file`. */
  readonly modules: string;
}

/** The archive's kernel, with modules of ZFS. */
export async function kernelWithZfs(archive: Archive): Promise<Kernel> {
  const index = await PackageIndex.update(archive);
  const meta = `linux-headers-${archive.architecture}`;
  const release = /\blinux-headers-(\S+)/u.exec(index.field(meta, 'Depends'))?.[1];
  if (release === undefined) throw new UserError(`the package ${meta} names no kernel.`);
  const zfs = index.version('zfs-dkms');
  const kernel = index.version(`linux-headers-${release}`);
  const name = `zfs-${keyOf(archive.architecture, release, kernel, zfs)}`;
  const modules = await cached(name, async (partial) => {
    say(`building ZFS ${zfs} for Linux ${release}, which takes some minutes …`);
    const root = `${partial}.root`;
    rmSync(root, { recursive: true, force: true });
    const packages = [
      'build-essential',
      `linux-headers-${release}`,
      'zfs-dkms',
      'kmod',
      'openssl',
      'xz-utils',
    ];
    await makeRoot(archive, root, packages);
    // The package builds for the kernels that it finds; what it didn't build is built here, and fails aloud.
    const version = readdirSync(join(root, 'var/lib/dkms/zfs')).find((entry) => /^\d/u.test(entry));
    if (version === undefined) throw new UserError('the package zfs-dkms brought no source of ZFS.');
    await inside(root, ['dkms', 'install', `zfs/${version}`, '-k', release], {
      log: `${partial}.dkms.log`,
      mounts: {},
    });
    takeModules(root, release, partial);
    rmSync(root, { recursive: true, force: true });
  });
  return { release, modules };
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
  kernel: Kernel,
  keys: string,
  target: string,
): Promise<void> {
  mkdirSync(target, { recursive: true });
  const sign = [
    'set -e',
    'cd /target',
    'for module in /modules/*.ko*; do name=$(basename "${module%.xz}"); case $module in *.xz) xz -dc "$module" ;; *) cat "$module" ;; esac >"$name"',
    '/modules/sign-file sha256 /keys/secure-boot.key /keys/secure-boot.crt "$name"',
    'xz --check=crc32 --force "$name"; done',
  ].join('\n');
  await inside(tools, ['sh', '-c', sign], {
    log: `${target}.log`,
    mounts: { '/modules': kernel.modules, '/keys': keys, '/target': target },
  });
}
