/** Metadata of releases for tests. */
import { createHash } from 'node:crypto';
import { assetKind } from '../asset-names.ts';
import type { Architecture } from '../select-release.ts';

/** What a test says of a release; the rest is made up. */
export interface ReleaseSketch {
  readonly version: string;
  /** `['stable']` unless given. */
  readonly channels?: readonly string[];
  /** Of the files; those of this computer unless given. */
  readonly architectures?: readonly Architecture[];
  /** Names of files below the folder of their architecture; the OS and Incus unless given. */
  readonly files?: readonly string[];
  readonly severity?: string;
  /** Keys that a later publisher may add. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** The metadata of a release, as a plain object in the form of `update.json`. */
export function sketchRelease(sketch: ReleaseSketch): Record<string, unknown> {
  const { version, channels = ['stable'], architectures = [thisArchitecture()], severity = 'none' } = sketch;
  const names = sketch.files ?? [
    `IncusOS_${version}.efi.gz`,
    `IncusOS_${version}.usr-x86-64.gz`,
    'incus.raw.gz',
  ];
  return {
    format: '1.0',
    channels,
    files: architectures.flatMap((architecture) => names.map((name) => sketchFile(name, architecture))),
    origin: 'incusos.test',
    published_at: '2026-11-04T16:01:00Z',
    severity,
    version,
    ...sketch.extra,
  };
}

/** The text of `index.json` with these releases, in the order given. */
export function feedIndex(releases: readonly ReleaseSketch[]): string {
  const updates = releases.map((sketch) => ({ ...sketchRelease(sketch), url: `/${sketch.version}` }));
  return `${JSON.stringify({ format: '1.0', updates }, undefined, 1)}\n`;
}

function sketchFile(name: string, architecture: Architecture): Record<string, unknown> {
  const kind = assetKind(name);
  const shared = kind?.type === 'update-secureboot';
  return {
    architecture: shared ? '' : architecture,
    component: kind?.component ?? 'os',
    filename: shared ? name : `${architecture}/${name}`,
    sha256: createHash('sha256').update(name).digest('hex'),
    size: 1024,
    type: kind?.type ?? '',
  };
}

function thisArchitecture(): Architecture {
  return process.arch === 'arm64' ? 'aarch64' : 'x86_64';
}
