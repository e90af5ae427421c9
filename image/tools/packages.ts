/**
 * The Debian packages of an image. mkosi keeps the installed trees from build to build; they are used only while every
 * package in them is what the archive would install today, so that a warm cache gives what a cold one gives.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
}

/** The installed packages of dpkg's status file, by name. */
export function parseStatus(text: string): DebianPackage[] {
  const packages: DebianPackage[] = [];
  for (const stanza of text.split(/\n{2,}/u)) {
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'mu').exec(stanza)?.[1] ?? '';
    if (!field('Status').endsWith(' installed')) continue;
    packages.push({ name: field('Package'), version: field('Version'), architecture: field('Architecture') });
  }
  return packages.toSorted((a, b) => compare(a.name, b.name));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What mkosi keeps below its work directory: the trees of the image and of its initrd, with all that is in them. */
export function keptPackages(work: string): Readonly<Record<'main' | 'initrd', DebianPackage[]>> {
  const cache = join(work, 'cache');
  const trees = existsSync(cache) ? readdirSync(cache) : [];
  // Named DISTRIBUTION~RELEASE~ARCHITECTURE.cache, and for images within the image with another ~NAME.
  const read = (name: RegExp): DebianPackage[] => {
    const tree = trees.find((entry) => name.test(entry));
    const status = join(cache, tree ?? '', 'var/lib/dpkg/status');
    return tree !== undefined && existsSync(status) ? parseStatus(readFileSync(status, 'utf8')) : [];
  };
  return {
    main: read(/^[^~]+~[^~]+~[^~.]+\.cache$/u),
    initrd: read(/^[^~]+~[^~]+~[^~.]+~[^~.]*initrd\.cache$/u),
  };
}

/** The packages that the archive has in another version now, or no longer. */
export function outdated(
  packages: readonly DebianPackage[],
  candidates: ReadonlyMap<string, string>,
): DebianPackage[] {
  return packages.filter(({ name, version }) => candidates.get(name) !== version);
}

/** Makes mkosi install all packages anew. */
export function forgetKept(work: string): void {
  rmSync(join(work, 'cache'), { recursive: true, force: true });
}

/** Removes downloaded packages that the image no longer has. */
export function removeUnusedDownloads(work: string, packages: readonly DebianPackage[]): void {
  const directory = join(work, 'packages/cache/apt/archives');
  if (packages.length === 0 || !existsSync(directory)) return;
  const used = new Set(packages.map((entry) => archiveName(entry)));
  for (const name of readdirSync(directory))
    if (name.endsWith('.deb') && !used.has(name)) rmSync(join(directory, name));
}

/** As apt names the file of a package. */
function archiveName({ name, version, architecture }: DebianPackage): string {
  return `${name}_${version.replaceAll(':', '%3a')}_${architecture}.deb`;
}
