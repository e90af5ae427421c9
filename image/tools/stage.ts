/** What of the image is ours and made by building: the bundled services, Node, the modules of ZFS, what it trusts. */
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { serviceNames } from './service-names.ts';
import { UserError } from './sentence.ts';

const top = join(import.meta.dirname, '../..');
const nodePackages: Readonly<Record<string, string>> = { amd64: 'x64', arm64: 'arm64' };

export interface StageOptions {
  readonly architecture: string;
  readonly kernelRelease: string;
  /** The directory with the signed kernel modules. */
  readonly modules: string;
  readonly keys: string;
  /** Where releases come from; the project's public server unless given. */
  readonly imageServer: string | undefined;
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
  const name = nodePackages[options.architecture] ?? options.architecture;
  const node = join(top, `bin/toolchain/node_modules/node-linux-${name}/bin/node`);
  if (!existsSync(node)) throw new UserError(`the pinned Node for ${options.architecture} is not installed.`);
  put(node, 'usr/bin/node', 0o755);
  for (const service of serviceNames) {
    const bundle = join(top, 'dist/apps', service, 'main.mjs');
    if (!existsSync(bundle)) throw new UserError(`${bundle} is missing; run npm run build.`);
    put(bundle, `usr/lib/incus-os/${service}/main.mjs`, 0o644);
  }
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
