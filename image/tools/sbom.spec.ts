import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { describe, expect, it } from 'vitest';
import { packageOf } from './bundled-packages.ts';
import { type Contents, manifestOf, sbomOf } from './sbom.ts';

const contents: Contents = {
  version: '202611200705',
  architecture: 'amd64',
  release: 'trixie',
  archive: [{ suite: 'trixie', published: 'Sat, 14 Nov 2026 09:12:44 UTC', sha256: 'ab'.repeat(32) }],
  commitTime: 1_763_622_000,
  debian: {
    main: [
      { name: 'zstd', version: '1.5.7+dfsg-1', architecture: 'amd64' },
      { name: 'cryptsetup', version: '2:2.7.5-2', architecture: 'amd64' },
    ],
    initrd: [
      { name: 'cryptsetup', version: '2:2.7.5-2', architecture: 'amd64' },
      { name: 'less', version: '668-1', architecture: 'amd64' },
    ],
  },
  modules: { name: 'zfs-dkms', version: '2.3.9-0+deb13u1', architecture: 'all' },
  npm: [
    {
      name: '@grpc/grpc-js',
      version: '1.14.7',
      license: 'Apache-2.0',
      integrity: `sha512-${Buffer.alloc(64, 1).toString('base64')}`,
    },
    { name: 'either', version: '1.0.0', license: '(MIT OR CC0-1.0)', integrity: undefined },
    { name: 'strange', version: '1.0.0', license: 'SEE LICENSE IN file', integrity: undefined },
    { name: 'silent', version: '1.0.0', license: undefined, integrity: undefined },
  ],
};

interface Component {
  readonly purl: string;
  readonly version: string;
  readonly licenses?: unknown;
  readonly hashes?: unknown;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
}

async function components(of: Contents): Promise<ReadonlyMap<string, Component>> {
  const { components: list } = JSON.parse(await sbomOf(of)) as { components: Component[] };
  return new Map(list.map((component) => [component.purl, component]));
}

describe('the bill of materials', () => {
  it('is valid CycloneDX', async () => {
    const text = await sbomOf(contents);
    expect(await new Validation.JsonStrictValidator(Spec.Spec1dot6.version).validate(text)).toBeNull();
    expect(JSON.parse(text)).toMatchObject({
      bomFormat: 'CycloneDX',
      metadata: { component: { type: 'operating-system', name: 'IncusOS', version: '202611200705' } },
    });
  });

  it('names each Debian package once, by its package URL, and where it is', async () => {
    const found = await components(contents);
    const places = (purl: string): string | undefined => found.get(purl)?.properties?.[0]?.value;
    const debian = [...found.keys()].filter((purl) => purl.startsWith('pkg:deb/'));
    expect(debian).toHaveLength(4);
    expect(places('pkg:deb/debian/zstd@1.5.7+dfsg-1?arch=amd64&distro=trixie')).toBe('/usr');
    expect(places('pkg:deb/debian/cryptsetup@2:2.7.5-2?arch=amd64&distro=trixie')).toBe('/usr, initrd');
    expect(places('pkg:deb/debian/less@668-1?arch=amd64&distro=trixie')).toBe('initrd');
    expect(places('pkg:deb/debian/zfs-dkms@2.3.9-0+deb13u1?arch=all&distro=trixie')).toBe(
      '/usr, as kernel modules',
    );
  });

  it('tells licence and hash of npm packages, as far as they do', async () => {
    const found = await components(contents);
    expect(found.get('pkg:npm/%40grpc/grpc-js@1.14.7')).toMatchObject({
      licenses: [{ license: { id: 'Apache-2.0' } }],
      hashes: [{ alg: 'SHA-512', content: '01'.repeat(64) }],
    });
    expect(found.get('pkg:npm/either@1.0.0')?.licenses).toEqual([{ expression: 'MIT OR CC0-1.0' }]);
    expect(found.get('pkg:npm/strange@1.0.0')?.licenses).toEqual([
      { license: { name: 'SEE LICENSE IN file' } },
    ]);
    expect(found.get('pkg:npm/silent@1.0.0')?.licenses).toBeUndefined();
  });

  it('is the same text for the same image, in whatever order its packages come', async () => {
    const { debian, npm } = contents;
    const text = await sbomOf(contents);
    expect(await sbomOf(contents)).toBe(text);
    const turned = {
      ...contents,
      npm: npm.toReversed(),
      debian: { ...debian, main: debian.main.toReversed() },
    };
    const list = (of: string): unknown => (JSON.parse(of) as { components: unknown }).components;
    expect(list(await sbomOf(turned))).toEqual(list(text));
  });

  it('has the time of the commit, not of the build', async () => {
    expect(JSON.parse(await sbomOf(contents))).toMatchObject({
      metadata: { timestamp: '2025-11-20T07:00:00.000Z' },
    });
  });
});

describe('the manifest', () => {
  it('lists every package with its version, in the form of mkosi', () => {
    const manifest = JSON.parse(manifestOf(contents)) as { packages: unknown[] };
    expect(manifest).toMatchObject({
      manifest_version: 1,
      config: { name: 'IncusOS', architecture: 'x86-64', version: '202611200705', archive: contents.archive },
    });
    expect(manifest.packages).toContainEqual({
      type: 'deb',
      name: 'less',
      version: '668-1',
      architecture: 'amd64',
      places: 'initrd',
    });
    expect(manifest.packages).toContainEqual({ type: 'npm', name: '@grpc/grpc-js', version: '1.14.7' });
    expect(manifest.packages).toHaveLength(8);
  });
});

describe('the package that a bundled file is from', () => {
  it.each([
    ['node_modules/rxjs/dist/index.js', 'node_modules/rxjs'],
    ['node_modules/@grpc/grpc-js/build/src/index.js', 'node_modules/@grpc/grpc-js'],
    ['node_modules/a/node_modules/@b/c/index.js', 'node_modules/a/node_modules/@b/c'],
    ['libs/service/src/index.ts', undefined],
    ['\0rolldown/runtime.js', undefined],
  ])('of %j is %j', (path, expected) => {
    expect(packageOf(path)).toBe(expected);
  });
});
