import type { Host } from '@incusos/host';

/** A seed as it lies on a medium. */
export interface SeedFile {
  /** Without a directory, such as `network.yaml`. */
  readonly name: string;
  readonly content: Uint8Array;
}

/** The files on one device. */
export interface SeedMedium {
  /**
   * The file that has one of the names, the medium's first if there are several.
   * @throws SeedError when the medium is damaged.
   */
  find(names: readonly string[]): Promise<SeedFile | undefined>;
}

/** A way in which files can be on a device. */
export interface SeedFormat {
  /** The files of the device, `undefined` when it isn't in this format. */
  open(host: Host, device: string): Promise<SeedMedium | undefined>;
}

/** Bytes; a seed with all its certificates is a small part of it. */
export const largestSeed = 1024 * 1024;
