/** Reads systemd's own file format (systemd.syntax(7)) as far as networkd and udev need it. */
import { readFileSync, statSync } from 'node:fs';
import type { Files } from '@incusos/host';

export interface UnitSection {
  readonly name: string;
  readonly entries: readonly (readonly [key: string, value: string])[];
}

export interface UnitFile {
  /** Its full path. */
  readonly path: string;
  readonly text: string;
  /** RFC 3339; when it was written. */
  readonly modified: string;
  readonly sections: readonly UnitSection[];
}

/** Where networkd and udev look; a file hides those of the same name further down (systemd.network(5)). */
const directories = ['/etc/systemd/network', '/run/systemd/network', '/usr/lib/systemd/network'];

function parseUnitFile(path: string, text: string, modified: string): UnitFile {
  const sections: { name: string; entries: [string, string][] }[] = [];
  for (const line of text.split('\n').map((raw) => raw.trim())) {
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const header = /^\[(.+)\]$/u.exec(line);
    if (header !== null) sections.push({ name: header[1] ?? '', entries: [] });
    else {
      const split = line.indexOf('=');
      if (split > 0)
        sections.at(-1)?.entries.push([line.slice(0, split).trim(), line.slice(split + 1).trim()]);
    }
  }
  return { path, text, modified, sections };
}

/** Read by udev, which is root, or by networkd, which is not. */
type Suffix = '.link' | '.netdev' | '.network';

/** The files of one kind, in the order of their names; what their reader has no permission for is left out. */
export async function readUnitFiles(files: Files, suffix: Suffix): Promise<UnitFile[]> {
  const paths = await unitPaths(files, suffix);
  // Hundreds of small files one by one through the pool of threads take far longer.
  return paths.flatMap((path) => {
    const place = files.resolve(path);
    const { mode, mtime } = statSync(place);
    if (suffix !== '.link' && (mode & 0o044) === 0) return [];
    return [parseUnitFile(path, readFileSync(place, 'utf8'), mtime.toISOString())];
  });
}

async function unitPaths(files: Files, suffix: Suffix): Promise<string[]> {
  const found = new Map<string, string>();
  for (const directory of directories) {
    for (const name of await files.list(directory)) {
      if (name.endsWith(suffix) && !found.has(name)) found.set(name, `${directory}/${name}`);
    }
  }
  return [...found.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
}

/** Every value of a key, in all sections of a name. An empty value forgets the ones before it. */
export function valuesOf(file: Pick<UnitFile, 'sections'>, section: string, key: string): string[] {
  let values: string[] = [];
  for (const { name, entries } of file.sections) {
    if (name !== section) continue;
    for (const [entryKey, value] of entries) {
      if (entryKey === key) values = value === '' ? [] : [...values, value];
    }
  }
  return values;
}

/** The last value of a key. */
export function valueOf(file: Pick<UnitFile, 'sections'>, section: string, key: string): string | undefined {
  return valuesOf(file, section, key).at(-1);
}

/** A boolean as systemd reads it. */
export function flag(value: string | undefined, otherwise: boolean): boolean {
  if (value === undefined) return otherwise;
  if (['1', 'yes', 'y', 'true', 't', 'on'].includes(value.toLowerCase())) return true;
  if (['0', 'no', 'n', 'false', 'f', 'off'].includes(value.toLowerCase())) return false;
  return otherwise;
}

interface Match {
  readonly names: readonly string[];
  readonly permanent: readonly string[];
  readonly macs: readonly string[];
}

const matchesOf = new WeakMap<UnitFile, Match>();

function matchOf(file: UnitFile): Match {
  const known = matchesOf.get(file);
  if (known !== undefined) return known;
  const words = (key: string): string[] =>
    valuesOf(file, 'Match', key).flatMap((value) => value.split(/\s+/u));
  const match = {
    names: [...words('Name'), ...words('OriginalName')],
    permanent: words('PermanentMACAddress').map((mac) => mac.toLowerCase()),
    macs: words('MACAddress').map((mac) => mac.toLowerCase()),
  };
  matchesOf.set(file, match);
  return match;
}

/** Whether a link of this name and permanent MAC is meant by the file's `[Match]`. A file without one matches nothing. */
export function matches(
  file: UnitFile,
  link: { readonly name: string; readonly permanentMac?: string | undefined; readonly mac: string },
): boolean {
  const { names, permanent, macs } = matchOf(file);
  if (names.length + permanent.length + macs.length === 0) return false;
  return (
    (names.length === 0 || names.some((glob) => globMatches(glob, link.name))) &&
    (permanent.length === 0 || (link.permanentMac !== undefined && permanent.includes(link.permanentMac))) &&
    (macs.length === 0 || macs.includes(link.mac))
  );
}

function globMatches(glob: string, name: string): boolean {
  if (glob === name) return true;
  if (!/[*?[]/u.test(glob)) return false;
  const pattern = glob
    .replaceAll(/[.+^${}()|\\]/gu, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${pattern}$`, 'u').test(name);
}
