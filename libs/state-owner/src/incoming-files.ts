/**
 * The files of an import as they arrive in chunks.
 *
 * Invariant: a name is never a path, so that nothing can be written outside the directory it is meant for.
 */
import type { StageImportRequest } from '@incusos/contracts/state';
import { DomainError } from '@incusos/service';

/** What the first message of an import says, and the files. */
export interface IncomingImport {
  readonly restoreId: string;
  readonly skip: ReadonlySet<string>;
  readonly schemaVersion: number;
  readonly files: ReadonlyMap<string, Buffer>;
}

/** State and keys are a few KiB; this only bounds the memory that a broken sender could take. */
const maxTotalBytes = 16 * 1024 * 1024;
const restoreIdForm = /^[0-9A-Za-z][0-9A-Za-z-]{0,63}$/u;

/**
 * Reads an import to its end.
 * @throws DomainError INVALID_REQUEST or TOO_LARGE.
 */
export async function readImport(messages: AsyncIterable<StageImportRequest>): Promise<IncomingImport> {
  let head: Omit<IncomingImport, 'files'> | undefined;
  const files = new Map<string, Buffer>();
  let open: { name: string; chunks: Buffer[] } | undefined;
  let total = 0;
  for await (const { restore_id, skip, schema_version, file } of messages) {
    head ??= { restoreId: requireRestoreId(restore_id), skip: new Set(skip), schemaVersion: schema_version };
    if (file === undefined) continue;
    if (open !== undefined && open.name !== file.name) throw cutShort(open.name);
    if (open === undefined) {
      requirePlainName(file.name);
      if (files.has(file.name))
        throw new DomainError('INVALID_REQUEST', `file '${file.name}' is there twice`);
      open = { name: file.name, chunks: [] };
    }
    total += file.content.length;
    if (total > maxTotalBytes) throw new DomainError('TOO_LARGE', 'the state in the backup is too large');
    open.chunks.push(file.content);
    if (file.last) {
      files.set(open.name, Buffer.concat(open.chunks));
      open = undefined;
    }
  }
  if (open !== undefined) throw cutShort(open.name);
  if (head === undefined) throw new DomainError('INVALID_REQUEST', 'the import is empty');
  return { ...head, files };
}

/** @throws DomainError when it isn't a restore's id. */
export function requireRestoreId(id: string): string {
  if (!restoreIdForm.test(id)) {
    throw new DomainError('INVALID_REQUEST', 'a restore id consists of letters, digits and dashes', {
      fields: [{ field: 'restore_id', reason: 'must be 1 to 64 letters, digits and dashes' }],
    });
  }
  return id;
}

function requirePlainName(name: string): void {
  if (!/^[^/\0]{1,255}$/u.test(name) || name.startsWith('.')) {
    throw new DomainError('INVALID_REQUEST', `'${name}' is not the name of a file`);
  }
}

function cutShort(name: string): DomainError {
  return new DomainError('INVALID_REQUEST', `file '${name}' is cut short`);
}
