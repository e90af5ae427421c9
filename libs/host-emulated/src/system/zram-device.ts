import type { Files } from '@incusos/host';

/** The module makes one device when it is loaded, and more when it is asked (Documentation/admin-guide/blockdev/zram.rst). */
export async function showZram(files: Files): Promise<void> {
  if (await files.exists('/sys/block/zram0')) return;
  await files.append('/sys/block/zram0/disksize', '0\n');
  await files.append('/sys/block/zram0/comp_algorithm', '[lzo-rle] lzo lz4 lz4hc zstd deflate 842\n');
  await files.append('/sys/block/zram0/mm_stat', '0 0 0 0 0 0 0 0 0\n');
  await files.append('/sys/block/zram0/reset', '');
  await files.append('/dev/zram0', '');
}
