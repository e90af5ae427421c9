/** What a published file is, by its name. */

/** Component and type of a file, as an update's metadata names them. */
export interface AssetKind {
  readonly component: string;
  readonly type: string;
}

/** Applications whose files carry another name than their component. */
const components: Readonly<Record<string, string>> = { 'incus-lts-7.0': 'incus' };

const applications = [
  'debug',
  'gpu-support',
  'incus',
  'incus-lts-7.0',
  'incus-ceph',
  'incus-linstor',
  'migration-manager',
  'openfga',
  'operations-center',
];

const osAssets: readonly (readonly [pattern: RegExp, type: string])[] = [
  [/\.efi\.gz$/u, 'update-efi'],
  [/\.img\.gz$/u, 'image-raw'],
  [/\.iso\.gz$/u, 'image-iso'],
  [/\.usr-(?:x86-64|arm64)-verity-sig\./u, 'update-usr-verity-signature'],
  [/\.usr-(?:x86-64|arm64)-verity\./u, 'update-usr-verity'],
  [/\.usr-(?:x86-64|arm64)\./u, 'update-usr'],
  [/^(?:IncusOS|HypervisorOS)_.*\.manifest\.json\.gz$/u, 'image-manifest'],
  [/^changelog-.+\.yaml\.gz$/u, 'changelog'],
  [/^SecureBootKeys_.+\.tar$/u, 'update-secureboot'],
];

/**
 * What a published file is.
 * @param name its name without a directory, such as `incus.raw.gz`.
 * @returns `undefined` for a file that isn't published.
 */
export function assetKind(name: string): AssetKind | undefined {
  for (const application of applications) {
    const component = components[application] ?? application;
    if (name === `${application}.raw.gz`) return { component, type: 'application' };
    if (name === `${application}.manifest.json.gz`) return { component, type: 'image-manifest' };
  }
  const type = osAssets.find(([pattern]) => pattern.test(name))?.[1];
  return type === undefined ? undefined : { component: 'os', type };
}
