/**
 * The machine code that a bundle can't contain: koffi's, by which the proxy calls the system's Kerberos. It is in an npm
 * package of its own for each architecture, and lies beside the bundle as npm would have it.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { installedPackage, type NpmPackage } from './bundled-packages.ts';
import { cached, keyOf, logOf } from './cache.ts';
import type { Architecture } from './options.ts';
import { step } from './programs.ts';
import { part, UserError } from './sentence.ts';

const top = join(import.meta.dirname, '../..');
const cpus: Readonly<Record<Architecture, string>> = { amd64: 'x64', arm64: 'arm64' };

export interface NativeFile {
  /** Its place below a `node_modules`. */
  readonly file: string;
  readonly path: string;
}

/** Koffi's machine code for the image's architecture, which may be another than this machine's. */
export async function nativeModule(
  architecture: Architecture,
): Promise<{ readonly files: readonly NativeFile[]; readonly package: NpmPackage }> {
  const cpu = cpus[architecture];
  const name = `@koromix/koffi-linux-${cpu}`;
  const installed = existsSync(join(top, 'node_modules', name));
  const directory = installed ? top : await foreign(name, cpu);
  const modules = join(directory, 'node_modules');
  const files = readdirSync(join(modules, name), { recursive: true, withFileTypes: true })
    // The image has glibc.
    .filter(({ name: file, parentPath }) => !file.endsWith('.md') && !parentPath.includes(`musl_${cpu}`))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ file: relative(modules, path), path }));
  if (!files.some(({ file }) => file.endsWith('.node')))
    throw new UserError(`${name} has no machine code; run npm run setup.`);
  return { files, package: installedPackage(directory, name) };
}

/** The one package of the lock file, installed as on a machine of another architecture; npm checks it by the lock. */
function foreign(name: string, cpu: string): Promise<string> {
  const { packages } = JSON.parse(readFileSync(join(top, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly version: string; readonly integrity: string }>>;
  };
  const locked = packages[`node_modules/${name}`];
  if (locked === undefined) throw new UserError(`package-lock.json has no ${name}.`);
  const { version, integrity } = locked;
  const root = { name: 'native-module', version: '1.0.0', dependencies: { [name]: version } };
  const lock = {
    ...root,
    lockfileVersion: 3,
    packages: { '': root, [`node_modules/${name}`]: { version, integrity } },
  };
  return cached(`native-${keyOf(name, integrity)}`, (partial) =>
    part(name, async () => {
      mkdirSync(partial, { recursive: true });
      writeFileSync(join(partial, 'package.json'), JSON.stringify(root));
      writeFileSync(join(partial, 'package-lock.json'), JSON.stringify(lock));
      cpSync(join(top, '.npmrc'), join(partial, '.npmrc'));
      const npm = join(top, 'bin/toolchain/node_modules/npm/bin/npm-cli.js');
      await step(
        [process.execPath, npm, 'ci', `--cpu=${cpu}`, '--os=linux', '--ignore-scripts', '--loglevel=error'],
        { log: logOf(`native-${cpu}`), directory: partial },
      );
    }),
  );
}
