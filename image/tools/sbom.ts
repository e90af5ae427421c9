/**
 * What an image is made of: a manifest in mkosi's form, and the same as a software bill of materials in CycloneDX,
 * written and checked with CycloneDX' own library. Both depend on their input only, so that they are the same for the
 * same image.
 */
import { createHash } from 'node:crypto';
import { Enums, Models, Serialize, Spec, SPDX, Validation } from '@cyclonedx/cyclonedx-library';
import { PackageURL } from 'packageurl-js';
import type { Suite } from './archive.ts';
import type { NpmPackage } from './bundled-packages.ts';
import type { DebianPackage } from './packages.ts';
import { UserError } from './sentence.ts';

export interface Contents {
  /** `YYYYMMDDHHMM`. */
  readonly version: string;
  /** By Debian's name. */
  readonly architecture: string;
  /** Of Debian. */
  readonly release: string;
  /** What the package lists were at the time. */
  readonly archive: readonly Suite[];
  /** Seconds since 1970. */
  readonly commitTime: number;
  readonly debian: Readonly<Record<'main' | 'initrd', readonly DebianPackage[]>>;
  /** The Debian package whose source the kernel modules were built from. */
  readonly modules: DebianPackage;
  /** Bundled into the services, and Node itself. */
  readonly npm: readonly NpmPackage[];
}

/** A package and where in the image it is. */
interface Placed extends DebianPackage {
  readonly places: string;
}

/** Every Debian package once. */
function placed({ debian, modules }: Contents): Placed[] {
  const keyOf = ({ name, version }: DebianPackage): string => `${name} ${version}`;
  const initrd = new Set(debian.initrd.map((entry) => keyOf(entry)));
  const main = new Set(debian.main.map((entry) => keyOf(entry)));
  return [
    ...debian.main.map((entry) => ({ ...entry, places: initrd.has(keyOf(entry)) ? '/usr, initrd' : '/usr' })),
    ...debian.initrd
      .filter((entry) => !main.has(keyOf(entry)))
      .map((entry) => ({ ...entry, places: 'initrd' })),
    { ...modules, places: '/usr, as kernel modules' },
  ].toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** The manifest, as the text of a JSON file. */
export function manifestOf(contents: Contents): string {
  const packages = [
    ...placed(contents).map(({ name, version, architecture, places }) => ({
      type: 'deb',
      name,
      version,
      architecture,
      places,
    })),
    ...contents.npm.map(({ name, version }) => ({ type: 'npm', name, version })),
  ];
  const config = {
    name: 'IncusOS',
    distribution: 'debian',
    architecture: contents.architecture === 'arm64' ? 'arm64' : 'x86-64',
    version: contents.version,
    release: contents.release,
    archive: contents.archive,
  };
  return `${JSON.stringify({ manifest_version: 1, config, packages }, undefined, 2)}\n`;
}

const spec = Spec.Spec1dot6;

/**
 * The bill of materials, as the text of a JSON file.
 * @throws UserError when it doesn't fit the schema.
 */
export async function sbomOf(contents: Contents): Promise<string> {
  const { version, release } = contents;
  const bom = new Models.Bom({
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(contents))}`,
    metadata: new Models.Metadata({
      timestamp: new Date(contents.commitTime * 1_000),
      component: new Models.Component(Enums.ComponentType.OperatingSystem, 'IncusOS', {
        bomRef: 'IncusOS',
        version,
        properties: new Models.PropertyRepository(
          contents.archive.map(
            ({ suite, published, sha256 }) =>
              new Models.Property(`incusos:archive:${suite}`, `${published}, sha256 ${sha256}`),
          ),
        ),
      }),
    }),
  });
  for (const { name, version: of, architecture: arch, places } of placed(contents)) {
    const purl = new PackageURL('deb', 'debian', name, of, { arch, distro: release }, undefined).toString();
    const component = new Models.Component(Enums.ComponentType.Library, name, {
      bomRef: purl,
      purl,
      version: of,
      properties: new Models.PropertyRepository([new Models.Property('incusos:places', places)]),
    });
    bom.components.add(component);
  }
  for (const entry of contents.npm) bom.components.add(npmComponent(entry));
  const text = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(spec)).serialize(bom, {
    sortLists: true,
    space: 2,
  });
  const problem: unknown = await new Validation.JsonStrictValidator(spec.version).validate(text);
  if (problem !== null)
    throw new UserError(`the bill of materials is not CycloneDX: ${JSON.stringify(problem)}`);
  return `${text}\n`;
}

function npmComponent({ name, version, license, integrity }: NpmPackage): Models.Component {
  const [, group, base] = /^(?:(@[^/]+)\/)?(.+)$/u.exec(name) ?? [];
  const purl = new PackageURL('npm', group, base ?? name, version, undefined, undefined).toString();
  const component = new Models.Component(Enums.ComponentType.Library, base ?? name, {
    bomRef: purl,
    purl,
    version,
    ...(group === undefined ? {} : { group }),
  });
  if (license !== undefined) component.licenses.add(licenseOf(license));
  const [algorithm, digest] = integrity?.split('-') ?? [];
  if (algorithm === 'sha512' && digest !== undefined)
    component.hashes.set(Enums.HashAlgorithm['SHA-512'], Buffer.from(digest, 'base64').toString('hex'));
  return component;
}

/** By its SPDX identifier or expression; npm asks packages to use those, and a few don't. */
function licenseOf(text: string): Models.License {
  const known: boolean = SPDX.isSupportedSpdxId(text);
  if (known) return new Models.SpdxLicense(text);
  return / (?:AND|OR|WITH) /u.test(text)
    ? new Models.LicenseExpression(text.replace(/^\((.*)\)$/u, '$1'))
    : new Models.NamedLicense(text);
}

function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/u, '$1-$2-5$3-8$4-$5');
}
