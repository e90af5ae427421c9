import type { FileSystemSpace } from '@incusos/host';
import { MiB, type StorageSection } from './section.ts';

/** What LUKS2 and ext4 keep of the root partition for themselves: a header, and about 2 % of inodes and journal. */
const headerBytes = 16 * MiB;
const dataShare = 0.98;
/** ext4 keeps 5 % for root (mke2fs(8)). */
const userShare = 0.95;

/** The root file system as statvfs(3) would give it. */
export function rootSpace({
  drives,
  root_used_bytes,
}: Readonly<StorageSection>): FileSystemSpace | undefined {
  const root = drives.flatMap(({ partitions }) => partitions).find(({ label }) => label === 'root');
  if (root === undefined) return undefined;
  const total = Math.floor((root.size_bytes - headerBytes) * dataShare);
  const available = Math.max(0, Math.floor(total * userShare) - root_used_bytes);
  return { total: BigInt(total), available: BigInt(available) };
}
