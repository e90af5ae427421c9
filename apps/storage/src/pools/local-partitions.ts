/**
 * Partitions of the drives beside the system disk that pool `local` is mirrored onto: of a whole drive it uses what
 * comes after the space that a system would take, so that the drive can become a system disk itself.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '@incusos/host';
import { DomainError } from '@incusos/service';
import type { DeviceLinks } from '../drives/device-links.ts';
import { localDataPath } from './pool-state.ts';
import type { CurrentMember, PoolStep } from './update-plan.ts';

/** Where partition 11 begins on a system disk, in sectors of 512 bytes. */
const startSector = 69_826_560;
const partitionNumber = 11;
const patienceMs = 1_000;

/** The drives to be partitioned, by the partition each will have. */
export interface LocalPartitions {
  readonly disks: Map<string, string>;
}

/** Puts the partition into the place of each whole drive. Changes nothing but `partitions`. */
export function planLocalPartitions(
  devices: readonly string[],
  members: readonly CurrentMember[],
  links: DeviceLinks,
  partitions: LocalPartitions,
): string[] {
  return devices.map((device) => {
    if (device === '' || links.same(device, localDataPath)) return device;
    if (members.some((member) => member.device === device) || /-part\d+$/u.test(device)) return device;
    const partition = `${device}-part${partitionNumber}`;
    if (!members.some((member) => member.device === partition)) partitions.disks.set(partition, device);
    return partition;
  });
}

/** Makes the partition that a step needs. */
export async function prepareLocalPartitions(
  host: Host,
  step: PoolStep,
  { disks }: LocalPartitions,
): Promise<void> {
  const device = step.kind === 'attach' || step.kind === 'replace' ? step.device : undefined;
  const disk = device === undefined ? undefined : disks.get(device);
  if (device === undefined || disk === undefined) return;
  await host.programs.run([
    'sgdisk',
    '-n',
    `${partitionNumber}:${startSector}:0`,
    '-t',
    `${partitionNumber}:8300`,
    disk,
  ]);
  const deadline = Date.now() + patienceMs;
  while (!(await host.files.exists(device))) {
    if (Date.now() > deadline)
      throw new DomainError('OPERATION_FAILED', `timed out waiting for new partition '${device}' to appear`);
    await sleep(20);
  }
}
