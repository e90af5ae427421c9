/** What of the image is ours and made by building: the bundled services, Node, the modules of ZFS, what it trusts. */
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { NativeFile } from './native-module.ts';
import { programNames } from './service-names.ts';
import { UserError } from './sentence.ts';

const top = join(import.meta.dirname, '../..');

export interface StageOptions {
  /** The program, for the image's architecture. */
  readonly node: string;
  /** What the proxy's bundle loads at run time. */
  readonly native: readonly NativeFile[];
  readonly kernelRelease: string;
  /** The directory with the signed kernel modules. */
  readonly modules: string;
  /** The directory with the certificates that the image trusts. */
  readonly keys: string;
  /** Where releases come from; the project's public server unless given. */
  readonly imageServer: string | undefined;
}

/** The program of a process. */
export function bundleOf(name: string): string {
  return join(top, 'dist/apps', name, 'main.mjs');
}

/** Fills `target`, the root of a tree that becomes part of the image. */
export function stage(target: string, options: StageOptions): void {
  rmSync(target, { recursive: true, force: true });
  const put = (from: string, to: string, mode: number): void => {
    const path = join(target, to);
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    cpSync(from, path);
    chmodSync(path, mode);
  };
  put(options.node, 'usr/bin/node', 0o755);
  for (const program of programNames) {
    const bundle = bundleOf(program);
    if (!existsSync(bundle)) throw new UserError(`${bundle} is missing; run npm run build.`);
    put(bundle, `usr/lib/incus-os/${program}/main.mjs`, 0o644);
  }
  for (const { file, path } of options.native)
    put(path, `usr/lib/incus-os/proxy/node_modules/${file}`, 0o644);
  for (const module of readdirSync(options.modules)) {
    if (!/\.ko/u.test(module)) continue;
    put(
      join(options.modules, module),
      `usr/lib/modules/${options.kernelRelease}/updates/dkms/${module}`,
      0o644,
    );
  }
  for (const anchor of ['root', 'update'])
    put(join(options.keys, `${anchor}.pem`), `usr/lib/incus-os/trust/${anchor}.pem`, 0o644);
  put(join(options.keys, 'verity.crt'), 'usr/lib/verity.d/incus-os.crt', 0o644);
  if (options.imageServer !== undefined)
    writeFileSync(join(target, 'usr/lib/incus-os/image-server'), `${options.imageServer}\n`);
}
