/** Encrypted drives: the mappings that `cryptsetup` opened, as devices that a pool can be on. */
import type { Machine } from '../machine/machine.ts';
import { type BlockDevice, findDevice } from './devices.ts';
import { MiB } from './section.ts';

/** What a LUKS2 header takes by default (cryptsetup(8)). */
const headerBytes = 16 * MiB;

/** Makes the storage section know which encrypted drives are open. */
export function followMappings({ storage, security }: Pick<Machine, 'storage' | 'security'>): void {
  for (const { partitions } of storage.drives) {
    for (const partition of partitions) if (partition.mapper !== undefined) partition.open = false;
  }
  for (const { name, device } of security.mappings) {
    const found = findDevice(storage, device);
    if (found === undefined || found.partition !== undefined) continue;
    const { drive } = found;
    const known = drive.partitions.find(({ mapper }) => mapper === name);
    if (known !== undefined) known.open = true;
    else {
      const size_bytes = drive.size_bytes - headerBytes;
      const start_sector = headerBytes / 512;
      drive.partitions.push({ number: 0, label: '', start_sector, size_bytes, mapper: name, open: true });
    }
  }
}

/** Drops the LUKS header of a drive that was wiped. */
export function dropHeaders(
  { storage, security }: Pick<Machine, 'storage' | 'security'>,
  wiped: BlockDevice,
): void {
  security.luks = security.luks.filter(({ device }) => {
    const found = findDevice(storage, device);
    return found?.drive !== wiped.drive || found.partition !== wiped.partition;
  });
}
