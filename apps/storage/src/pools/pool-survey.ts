/** Asks ZFS for its pools and volumes. */
import type { SystemStoragePool } from '@incusos/contracts/storage';
import type { Host } from '@incusos/host';
import { poolKeyNames } from '../keys.ts';
import type { DeviceLinks } from '../drives/device-links.ts';
import { type Dataset, parseDatasets, readDatasets } from './datasets.ts';
import { describePool, localDataPath } from './pool-state.ts';
import { type PoolStatus, parseStatus, readStatus } from './zpool-status.ts';

export class PoolSurvey {
  constructor(
    readonly statuses: readonly PoolStatus[],
    readonly datasets: readonly Dataset[],
    private readonly managed: ReadonlySet<string>,
  ) {}

  status(pool: string): PoolStatus | undefined {
    return this.statuses.find((status) => status.name === pool);
  }

  isManaged(pool: string): boolean {
    return this.managed.has(pool);
  }

  /** Whether something runs whose progress changes by itself. */
  get busy(): boolean {
    return this.statuses.some(
      ({ scan, trims, members }) =>
        scan?.state === 'SCANNING' ||
        trims.some((trim) => trim.state === 'ACTIVE') ||
        members.some((member) => member.leaving),
    );
  }

  /** The pools as the API shows them, sorted by name. */
  describe(links: DeviceLinks): SystemStoragePool[] {
    return this.statuses
      .map((status) =>
        describePool(
          status,
          this.datasets.filter(({ name }) => name === status.name || name.startsWith(`${status.name}/`)),
          this.managed.has(status.name),
          (device) => memberName(links, status.name, device),
        ),
      )
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Every member's device and its pool. */
  membership(): Map<string, string> {
    return new Map(this.statuses.flatMap(({ name, members }) => members.map(({ device }) => [device, name])));
  }
}

/** The name under which the API lists a member: by its id, and the system disk's own partition by its label. */
export function memberName(links: DeviceLinks, pool: string, device: string): string {
  if (pool === 'local' && links.same(device, localDataPath)) return localDataPath;
  if (device.startsWith('/dev/disk/') || device.startsWith('/dev/mapper/')) return device;
  return links.idOf(device) ?? device;
}

export async function surveyPools(host: Host): Promise<PoolSurvey> {
  const [status, datasets, managed] = await Promise.all([
    host.programs.run(readStatus),
    host.programs.run(readDatasets),
    poolKeyNames(host.files),
  ]);
  return new PoolSurvey(parseStatus(status.stdout), parseDatasets(datasets.stdout), managed);
}
