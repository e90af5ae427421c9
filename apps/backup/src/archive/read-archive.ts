/**
 * Reads the archive of a backup.
 *
 * Invariant: nothing of it is handed out before all of it was read and found to be what its manifest says.
 */
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DomainError } from '@incusos/service';
import { extract } from 'tar-stream';
import type { Backup, ServiceBackup } from './backup.ts';
import { describeFile, type Manifest, manifestName, parseManifest, wrong } from './manifest.ts';

/** State and keys are some KiB for each service; the limits only keep a wrong file from filling the memory. */
export const maxArchiveBytes = 16 * 1024 * 1024;
const maxContentBytes = 64 * 1024 * 1024;

/**
 * @throws DomainError INVALID_REQUEST saying what is wrong with the archive, or TOO_LARGE. Nothing else is thrown but
 * what the source of the chunks throws.
 */
export async function readArchive(chunks: AsyncIterable<Buffer>): Promise<Backup> {
  const members = await readMembers(await decompress(chunks));
  const manifest = members.get(manifestName);
  if (manifest === undefined) {
    if (members.has('state.txt')) throw wrong('it comes from an IncusOS whose backups have another form');
    throw wrong(`it has no ${manifestName}`);
  }
  members.delete(manifestName);
  return assemble(parseManifest(manifest.toString('utf8')), members);
}

async function decompress(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const source = new LimitedSource(chunks);
  const gunzip = createGunzip();
  pipeline(Readable.from(source.read(), { objectMode: false }), gunzip, () => undefined);
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of gunzip) {
      parts.push(part as Buffer);
      size += (part as Buffer).length;
      if (size > maxContentBytes)
        throw new DomainError('TOO_LARGE', `a backup holds at most ${maxContentBytes} bytes`);
    }
  } catch (error) {
    if (source.failure !== undefined) throw source.failure;
    if (error instanceof DomainError) throw error;
    throw source.taken === 0 ? wrong('it is empty') : damaged(error);
  }
  // zlib stops at the end of the compressed data, whatever comes after it.
  if (gunzip.bytesWritten !== source.taken) throw wrong('something else follows its end');
  return Buffer.concat(parts);
}

/** Counts what comes in, and remembers why it broke off, which is no fault of the archive. */
class LimitedSource {
  taken = 0;
  failure: Error | undefined;

  constructor(private readonly chunks: AsyncIterable<Buffer>) {}

  /** Whoever reads may throw into this one; that must not be taken for a failure of the source. */
  async *read(): AsyncGenerator<Buffer> {
    for await (const chunk of this.watched()) yield chunk;
  }

  private async *watched(): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of this.chunks) {
        this.taken += chunk.length;
        if (this.taken > maxArchiveBytes)
          throw new DomainError('TOO_LARGE', `a backup has at most ${maxArchiveBytes} bytes`);
        yield chunk;
      }
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
      throw this.failure;
    }
  }
}

async function readMembers(tar: Buffer): Promise<Map<string, Buffer>> {
  const members = new Map<string, Buffer>();
  const reader = extract();
  reader.end(tar);
  try {
    for await (const entry of reader) {
      const { name, type } = entry.header;
      if (type !== 'file')
        throw new DomainError('INVALID_REQUEST', 'backup cannot contain anything other than regular files');
      if (members.has(name)) throw wrong(`'${name}' is in it twice`);
      const parts: Buffer[] = [];
      for await (const part of entry) parts.push(part as Buffer);
      members.set(name, Buffer.concat(parts));
    }
  } catch (error) {
    throw error instanceof DomainError ? error : damaged(error);
  }
  return members;
}

function assemble(manifest: Manifest, members: Map<string, Buffer>): Backup {
  const services = Object.entries(manifest.services).map(
    ([service, { schema_version, files }]): ServiceBackup => {
      const found = Object.entries(files).map(([name, expected]): [string, Buffer] => {
        const member = `${service}/${name}`;
        const content = members.get(member);
        if (content === undefined) throw wrong(`'${member}' is missing`);
        const { size, sha256 } = describeFile(content);
        if (size !== expected.size || sha256 !== expected.sha256) throw wrong(`'${member}' was altered`);
        members.delete(member);
        return [name, content];
      });
      return { service, schemaVersion: schema_version, files: new Map(found) };
    },
  );
  const [extra] = members.keys();
  if (extra !== undefined) throw wrong(`its manifest does not know '${extra}'`);
  return {
    createdAt: manifest.created_at,
    osName: manifest.os.name,
    osRelease: manifest.os.release,
    services,
  };
}

function damaged(error: unknown): DomainError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'Z_BUF_ERROR') return wrong('it is cut short');
  if (code === 'Z_DATA_ERROR') return wrong('it is damaged, or no gzip archive');
  return wrong('it is damaged, or no tar archive');
}
