/** The images of applications on the disk, and the links by which they are part of the system (systemd-sysext(8)). */
import type { Files } from '@incusos/host';

const links = '/var/lib/extensions';
const images = '/var/lib/incus-os-extensions';

function imagePath(name: string, version: string): string {
  return `${images}/${version}/${name}.raw`;
}

/** Whether an application's image of a version is there, and its link. */
export async function isLinked(files: Files, name: string, version: string): Promise<boolean> {
  const [link, image] = await Promise.all([
    files.stat(`${links}/${name}.raw`),
    files.stat(imagePath(name, version)),
  ]);
  return link !== undefined && image?.kind === 'file';
}

/** The version that an application's link points to; `undefined` without a link or when its image is gone. */
export async function linkedVersion(files: Files, name: string): Promise<string | undefined> {
  const target = await files.readLink(`${links}/${name}.raw`).catch(() => undefined);
  const version = target === undefined ? undefined : /\/(\d+)\/[^/]+\.raw$/u.exec(target)?.[1];
  return version !== undefined && (await isLinked(files, name, version)) ? version : undefined;
}

/** The versions of an application on the disk, oldest first. */
export async function availableVersions(files: Files, name: string): Promise<string[]> {
  const versions = (await files.list(images)).filter((version) => /^\d+$/u.test(version));
  const present = await Promise.all(versions.map((version) => files.exists(imagePath(name, version))));
  return versions
    .filter((_version, index) => present[index] === true)
    .toSorted((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
}
