/** The npm packages whose code the image has: those that the bundles were made of, by their source maps, and Node. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { UserError } from './sentence.ts';

const top = join(import.meta.dirname, '../..');

export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** As the package says it, mostly an SPDX expression. */
  readonly license: string | undefined;
  /** Of the package's archive, as in the lock file. */
  readonly integrity: string | undefined;
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string }>>;
}

/** The packages in bundles. @throws UserError when a bundle has no source map. */
export function bundledPackages(bundles: readonly string[]): NpmPackage[] {
  const directories = new Set<string>();
  for (const bundle of bundles) {
    const map = `${bundle}.map`;
    if (!existsSync(map)) throw new UserError(`${map} is missing; run npm run build.`);
    const { sources } = readJson(map) as { readonly sources: readonly string[] };
    for (const source of sources) {
      const directory = packageOf(relative(top, resolve(dirname(map), source)));
      if (directory !== undefined) directories.add(directory);
    }
  }
  const { packages } = readJson(join(top, 'package-lock.json')) as Lock;
  const found = [...directories].map((directory) =>
    described(join(top, directory), packages[directory]?.integrity),
  );
  // One version may be installed in several places.
  return [...new Map(found.map((entry) => [`${entry.name}@${entry.version}`, entry])).values()].toSorted(
    (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1),
  );
}

/** The directory of the package that a file belongs to; `undefined` for the project's own. */
export function packageOf(path: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/u.exec(path)?.[0];
}

/** An installed package of the toolchain, such as Node. */
export function toolchainPackage(directory: string, name: string): NpmPackage {
  const { packages } = readJson(join(top, 'bin/toolchain/package-lock.json')) as Lock;
  return described(join(directory, 'node_modules', name), packages[`node_modules/${name}`]?.integrity);
}

/** A package of the project's lock file, wherever it is installed. */
export function installedPackage(directory: string, name: string): NpmPackage {
  const { packages } = readJson(join(top, 'package-lock.json')) as Lock;
  const path = `node_modules/${name}`;
  return described(join(directory, path), packages[path]?.integrity);
}

function described(directory: string, integrity: string | undefined): NpmPackage {
  const { name, version, license } = readJson(join(directory, 'package.json')) as {
    readonly name: string;
    readonly version: string;
    readonly license?: unknown;
  };
  return { name, version, license: typeof license === 'string' ? license : undefined, integrity };
}

/** What npm or the bundler wrote. */
function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}
