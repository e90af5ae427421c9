import { describe, expect, it } from 'vitest';
import { assetKind } from './asset-names.ts';

describe('published file names', () => {
  it.each([
    ['incus.raw.gz', 'incus', 'application'],
    ['incus-lts-7.0.raw.gz', 'incus', 'application'],
    ['incus-ceph.raw.gz', 'incus-ceph', 'application'],
    ['openfga.raw.gz', 'openfga', 'application'],
    ['incus.manifest.json.gz', 'incus', 'image-manifest'],
    ['operations-center.manifest.json.gz', 'operations-center', 'image-manifest'],
    ['IncusOS_202511041601.manifest.json.gz', 'os', 'image-manifest'],
    ['HypervisorOS_202511041601.manifest.json.gz', 'os', 'image-manifest'],
    ['IncusOS_202511041601.efi.gz', 'os', 'update-efi'],
    ['IncusOS_202511041601.img.gz', 'os', 'image-raw'],
    ['IncusOS_202511041601.iso.gz', 'os', 'image-iso'],
    ['IncusOS_202511041601.usr-x86-64.0f1e.raw.gz', 'os', 'update-usr'],
    ['IncusOS_202511041601.usr-arm64.0f1e.raw.gz', 'os', 'update-usr'],
    ['IncusOS_202511041601.usr-x86-64-verity.0f1e.raw.gz', 'os', 'update-usr-verity'],
    ['IncusOS_202511041601.usr-arm64-verity-sig.0f1e.raw.gz', 'os', 'update-usr-verity-signature'],
    ['SecureBootKeys_202511041601.tar', 'os', 'update-secureboot'],
    ['changelog-stable.yaml.gz', 'os', 'changelog'],
  ])('knows %s', (name, component, type) => {
    expect(assetKind(name)).toEqual({ component, type });
  });

  it.each(['update.json', 'unknown.raw.gz', 'other.manifest.json.gz', 'x86_64/incus.raw.gz', ''])(
    'does not know %j',
    (name) => {
      expect(assetKind(name)).toBeUndefined();
    },
  );
});
