/** Asks every SCSI host to look for new drives. */
import type { Host } from '@incusos/host';
import { DomainError } from '@incusos/service';

/** All channels, all targets, all units (Documentation/scsi/scsi_mid_low_api.rst of the kernel). */
const everything = '- - -';

/** @throws DomainError when a host refused; the others were asked all the same. */
export async function rescanScsiHosts(host: Host): Promise<void> {
  const hosts = await host.files.list('/sys/class/scsi_host');
  const results = await Promise.allSettled(
    hosts.map((name) => host.files.writeInPlace(`/sys/class/scsi_host/${name}/scan`, everything)),
  );
  const failed = hosts.filter((_, index) => results[index]?.status === 'rejected');
  if (failed.length > 0)
    throw new DomainError('OPERATION_FAILED', `SCSI hosts that could not be rescanned: ${failed.join(', ')}`);
  await host.programs.run(['udevadm', 'settle', '--timeout=10'], { acceptExitCodes: 'any' });
}
