/**
 * The first member of an archive: what the archive holds, so that nothing in it can be missing, added or altered
 * without being noticed. Against someone who alters it on purpose it is no protection; whoever may restore a backup
 * may change everything anyway.
 */
import { createHash } from 'node:crypto';
import { DomainError } from '@incusos/service';
import type { Backup } from './backup.ts';

export const manifestName = 'manifest.json';
const format = 'incus-os-backup';
const version = 1;

export interface ManifestFile {
  /** Bytes. */
  readonly size: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

export interface ManifestService {
  readonly schema_version: number;
  readonly files: Readonly<Record<string, ManifestFile>>;
}

export interface Manifest {
  readonly format: typeof format;
  readonly version: typeof version;
  readonly created_at: string;
  readonly os: { readonly name: string; readonly release: string };
  readonly services: Readonly<Record<string, ManifestService>>;
}

export function describeFile(content: Buffer): ManifestFile {
  return { size: content.length, sha256: createHash('sha256').update(content).digest('hex') };
}

export function manifestOf(backup: Backup): Manifest {
  return {
    format,
    version,
    created_at: backup.createdAt,
    os: { name: backup.osName, release: backup.osRelease },
    services: Object.fromEntries(
      backup.services.map(({ service, schemaVersion, files }) => [
        service,
        {
          schema_version: schemaVersion,
          files: Object.fromEntries([...files].map(([name, content]) => [name, describeFile(content)])),
        },
      ]),
    ),
  };
}

/** @throws DomainError INVALID_REQUEST when the text isn't a manifest of a version that this release knows. */
export function parseManifest(text: string): Manifest {
  const manifest = parseJson(text);
  if (!isRecord(manifest) || manifest['format'] !== format) throw wrong('its manifest is not one of IncusOS');
  if (manifest['version'] !== version) {
    throw wrong(
      `it has format version ${String(manifest['version'])}, but this release knows version ${version}`,
    );
  }
  const { created_at, os, services } = manifest;
  if (typeof created_at !== 'string' || !isRecord(os) || !isRecord(services))
    throw wrong('its manifest is incomplete');
  const { name, release } = os;
  if (typeof name !== 'string' || typeof release !== 'string')
    throw wrong('its manifest does not name the release');
  return {
    format,
    version,
    created_at,
    os: { name, release },
    services: Object.fromEntries(
      Object.entries(services).map(([service, entry]) => [service, parseService(service, entry)]),
    ),
  };
}

function parseService(service: string, entry: unknown): ManifestService {
  if (!isRecord(entry) || !Number.isInteger(entry['schema_version']) || !isRecord(entry['files'])) {
    throw wrong(`its manifest is wrong about the ${service} service`);
  }
  const files = Object.entries(entry['files']).map(([name, file]): [string, ManifestFile] => {
    if (!isRecord(file) || typeof file['size'] !== 'number' || typeof file['sha256'] !== 'string') {
      throw wrong(`its manifest is wrong about ${service}/${name}`);
    }
    return [name, { size: file['size'], sha256: file['sha256'] }];
  });
  return { schema_version: Number(entry['schema_version']), files: Object.fromEntries(files) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A backup that can't be used, and why. */
export function wrong(reason: string): DomainError {
  return new DomainError('INVALID_REQUEST', `the backup can't be used: ${reason}`);
}
