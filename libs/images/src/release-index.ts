/**
 * Reads the feed's metadata: `index.json` and `update.json`.
 *
 * What the machine acts on (format, versions, file names, hashes, sizes) has to be right or the whole text is refused
 * with the field's path; keys and values that later publishers may add are passed over.
 */
import { type Index, type Update, type UpdateFile, type UpdateFull } from '@incusos/contracts/images';
import { FeedError } from './feed-error.ts';
import { isVersion } from './version.ts';

const format = '1.0';

/**
 * The index of a feed, its releases newest first.
 * @throws FeedError `malformed`.
 */
export function parseIndex(text: string): Index {
  const index = object(parse(text), 'the index');
  checkFormat(index, '');
  const updates = list(index, 'updates', '').map((entry, at): UpdateFull => {
    const path = `updates[${at}]`;
    const full = object(entry, path);
    const url = optionalText(full, 'url', path);
    return { ...update(full, `${path}.`), ...(url === '' ? {} : { url }) };
  });
  // Publishers write the newest release first; sorting keeps a feed merged by hand from hiding it.
  return { format, updates: updates.toSorted((a, b) => compareVersions(b.version, a.version)) };
}

/**
 * The metadata of one release.
 * @throws FeedError `malformed`.
 */
export function parseUpdate(text: string): Update {
  return update(object(parse(text), 'the release'), '');
}

type Fields = Readonly<Record<string, unknown>>;

function update(fields: Fields, path: string): Update {
  checkFormat(fields, path);
  const version = text(fields, 'version', path);
  if (!isVersion(version)) throw wrong(`${path}version`, 'is not a version of twelve digits');
  return {
    format,
    version,
    channels: list(fields, 'channels', path).map((channel, at) => {
      if (typeof channel !== 'string') throw wrong(`${path}channels[${at}]`, 'is not a string');
      return channel;
    }),
    files: list(fields, 'files', path).map((entry, at) => file(entry, `${path}files[${at}]`)),
    origin: optionalText(fields, 'origin', path),
    published_at: publishedAt(fields, path),
    severity: optionalText(fields, 'severity', path),
  };
}

function file(entry: unknown, path: string): UpdateFile {
  const fields = object(entry, path);
  const filename = text(fields, 'filename', `${path}.`);
  if (!isSafeName(filename)) throw wrong(`${path}.filename`, 'is not a file below its release');
  const sha256 = text(fields, 'sha256', `${path}.`);
  if (!/^[0-9a-f]{64}$/u.test(sha256))
    throw wrong(`${path}.sha256`, 'is not a SHA-256 in lower-case hexadecimal');
  const size = fields['size'];
  if (!Number.isSafeInteger(size) || Number(size) < 0)
    throw wrong(`${path}.size`, 'is not a number of bytes');
  return {
    filename,
    sha256,
    size: BigInt(Number(size)),
    architecture: optionalText(fields, 'architecture', `${path}.`),
    component: text(fields, 'component', `${path}.`),
    type: optionalText(fields, 'type', `${path}.`),
  };
}

/** The name becomes part of a URL and of a path: plain segments only. */
function isSafeName(name: string): boolean {
  return name.split('/').every((segment) => /^[A-Za-z0-9_+@~-][A-Za-z0-9._+@~-]*$/u.test(segment));
}

function publishedAt(fields: Fields, path: string): string {
  const date = optionalText(fields, 'published_at', path);
  if (date !== '' && Number.isNaN(Date.parse(date))) throw wrong(`${path}published_at`, 'is not a date');
  return date;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new FeedError('malformed', `the release feed is not JSON: ${why}`, { cause: error });
  }
}

function checkFormat(fields: Fields, path: string): void {
  const found = text(fields, 'format', path);
  if (found !== format) throw wrong(`${path}format`, `is '${found}', this release knows '${format}'`);
}

function object(value: unknown, path: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(path, 'is not an object');
  return value as Fields;
}

/** A list; what is absent or null is an empty one. */
function list(fields: Fields, key: string, path: string): readonly unknown[] {
  const value = fields[key] ?? [];
  if (!Array.isArray(value)) throw wrong(`${path}${key}`, 'is not a list');
  return value;
}

function text(fields: Fields, key: string, path: string): string {
  const value = fields[key];
  if (typeof value !== 'string' || value === '') throw wrong(`${path}${key}`, 'is missing or not a string');
  return value;
}

function optionalText(fields: Fields, key: string, path: string): string {
  const value = fields[key] ?? '';
  if (typeof value !== 'string') throw wrong(`${path}${key}`, 'is not a string');
  return value;
}

function wrong(path: string, why: string): FeedError {
  return new FeedError('malformed', `the release feed can't be used: ${path} ${why}`);
}

function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
