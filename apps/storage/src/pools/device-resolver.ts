/** Finds the devices that a request names, and refuses those that aren't free. */
import type { SystemStoragePool } from '@incusos/contracts/storage';
import { DomainError } from '@incusos/service';
import { diskNode } from '../drives/device-links.ts';
import type { Snapshot } from '../inventory/inventory.ts';
import { devicesOf } from './pool-rules.ts';
import { localDataPath } from './pool-state.ts';

export class DeviceResolver {
  constructor(
    private readonly snapshot: Snapshot,
    /** Where the pool is in the request, such as `config.pools[0]`. */
    private readonly path: string,
  ) {}

  refuse(field: string, text: string): DomainError {
    return new DomainError('INVALID_REQUEST', text, {
      fields: [{ field: field === '' ? this.path : `${this.path}.${field}`, reason: text }],
    });
  }

  /**
   * The path by its id of a device that may be given by any of its names.
   * @throws DomainError when there is no such device.
   */
  resolve(device: string, field: string): string {
    const { links } = this.snapshot;
    if (device.startsWith('/dev/disk/by-id/')) {
      if (!links.has(device)) throw this.refuse(field, `device '${device}' doesn't exist`);
      return device;
    }
    if (device === localDataPath && links.has(device)) return device;
    if (this.snapshot.drives.some((drive) => drive.encrypted_id === device)) return device;
    const node = device.startsWith('/dev/') ? links.node(device) : undefined;
    const id = node === undefined ? undefined : links.idOf(node);
    if (id === undefined) throw this.refuse(field, `unable to determine device ID for ${device}`);
    return id;
  }

  /**
   * Makes sure that no device of a pool is the system disk, or used already.
   * @param own members that are the pool's own.
   */
  requireFree(
    pool: Pick<SystemStoragePool, 'name' | 'devices' | 'cache' | 'log' | 'special'>,
    own: ReadonlySet<string>,
  ): void {
    const { links } = this.snapshot;
    const taken = new Map<string, string>();
    for (const { field, device } of devicesOf(pool)) {
      if (device === '' || own.has(device)) continue;
      const node = links.node(device) ?? device;
      if (diskNode(node) === this.snapshot.rootDisk) {
        throw this.refuse(
          field,
          `list of devices includes the system root drive ${diskNode(node)}, which can't be used in other zpools`,
        );
      }
      const encrypted = this.snapshot.drives.find(
        ({ id, encrypted: is }) => is === true && links.node(id) === diskNode(node),
      );
      if (encrypted !== undefined) {
        throw this.refuse(
          field,
          `device '${device}' is encrypted, what it holds is '${encrypted.encrypted_id ?? ''}'`,
        );
      }
      const twin = [...taken.keys()].find((other) => overlaps(other, node));
      if (twin !== undefined) throw this.refuse(field, `device '${device}' is given twice`);
      taken.set(node, device);
      const owner = this.ownerOf(node);
      if (owner !== undefined)
        throw this.refuse(field, `device '${device}' already belongs to zpool '${owner}'`);
    }
  }

  /** The pool that has a device, the drive it is on, or a partition of it. */
  private ownerOf(node: string): string | undefined {
    const { links, survey } = this.snapshot;
    for (const [device, pool] of survey.membership()) {
      const member = links.node(device);
      if (member !== undefined && overlaps(member, node)) return pool;
    }
    return undefined;
  }

  /** The partition of the system disk that pool `local` is on, by its id. */
  systemPartition(): string {
    const { links } = this.snapshot;
    const node = links.node(localDataPath);
    return (node === undefined ? undefined : links.idOf(node)) ?? localDataPath;
  }
}

/** Whether writing to one writes to the other. */
function overlaps(a: string, b: string): boolean {
  return a === b || diskNode(a) === b || diskNode(b) === a;
}
