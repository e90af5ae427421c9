import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DomainError } from '@incusos/service';
import { drivePath, eventually, StorageAppliance } from './testing/storage-appliance.ts';

const drives = ['a', 'b', 'c', 'd', 'e', 'f'];
const names = ['one', 'two'];

interface Change {
  readonly kind: 'set' | 'delete' | 'replug';
  readonly name: string;
  readonly type: string;
  readonly devices: readonly string[];
}

const good = fc.constantFrom(...drives.map(drivePath));
const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom('set', 'set', 'set', 'set', 'delete', 'replug'),
  name: fc.constantFrom(...names),
  type: fc.constantFrom('zfs-raid0', 'zfs-raid1', 'zfs-raid1', 'zfs-raidz1', 'zfs-raid10'),
  devices: fc.oneof(
    { weight: 6, arbitrary: fc.uniqueArray(good, { minLength: 1, maxLength: 4 }) },
    {
      weight: 1,
      arbitrary: fc.array(fc.oneof(good, fc.constantFrom('', '/dev/sda')), { minLength: 1, maxLength: 4 }),
    },
  ),
});

/** Members by pool, the broken ones too. */
type Members = Record<string, string[]>;

describe('any sequence of changes to pools', () => {
  let appliance: StorageAppliance;
  beforeAll(async () => {
    appliance = await StorageAppliance.started(...drives);
  });
  afterAll(() => appliance.remove());

  const shown = async (): Promise<Members> => {
    const pools = (await appliance.pools()).filter(({ name }) => name !== 'local');
    return Object.fromEntries(
      pools.map(({ name, devices, devices_degraded }) => [
        name,
        [...devices, ...devices_degraded].toSorted(),
      ]),
    );
  };

  /** What is written on the drives, which is the truth. */
  const written = (): Members => {
    const { storage } = appliance.machine.read();
    const labels = new Map(
      storage.drives.flatMap(({ id, partitions }) =>
        partitions.map(({ zfs_label }) => [zfs_label, `/dev/disk/by-id/${id}`]),
      ),
    );
    const leaves = (vdevs: (typeof storage.pools)[number]['vdevs']): string[] =>
      vdevs.flatMap((vdev) =>
        vdev.type === 'disk' ? [labels.get(vdev.guid) ?? 'nowhere'] : leaves(vdev.children),
      );
    return Object.fromEntries(
      storage.pools
        .filter(({ name }) => name !== 'local')
        .map(({ name, vdevs }) => [name, leaves(vdevs).toSorted()]),
    );
  };

  /** Resilvers and removals are over, and what left is wiped. */
  const calm = async (): Promise<void> => {
    await eventually(async () => {
      const pools = await appliance.pools();
      const { wipes } = JSON.parse(
        await appliance.machine.files
          .readText('/var/lib/incus-os/storage/operations.json')
          .catch(() => '{"wipes": []}'),
      ) as { wipes: unknown[] };
      return wipes.length === 0 && pools.every(({ last_scrub }) => last_scrub?.state !== 'IN_PROGRESS');
    });
    // A change of the machine settles what is over by now in its description.
    await appliance.host.programs.run(['zpool', 'set', 'comment=calm', 'local']);
  };

  const make = async ({ kind, name, type, devices }: Change): Promise<string | undefined> => {
    try {
      if (kind === 'set') await appliance.set({ name, type, devices: [...devices] });
      else if (kind === 'delete') await appliance.client.deletePool({ name });
      else {
        await appliance.command('drive remove', ['f']);
        await appliance.command('drive add', ['f']);
      }
      return undefined;
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      return error.reason;
    }
  };

  it('keeps what it shows equal to what is on the drives, and loses no member that was not named', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
        for (const each of changes) {
          const before = await shown();
          const refused = await make(each);
          await calm();
          const after = await shown();
          expect(after).toEqual(written());
          const everyone = Object.values(after).flat();
          expect(new Set(everyone).size).toBe(everyone.length);
          expect(everyone.filter((device) => device.includes('incus_root') || device === '/dev/sda')).toEqual(
            [],
          );
          if (refused !== undefined)
            expect([refused, after]).toEqual([
              expect.stringMatching(/^(INVALID_REQUEST|NOT_FOUND|CONFLICT)$/u),
              before,
            ]);
          for (const [pool, members] of Object.entries(before)) {
            const lost = members.filter((device) => after[pool]?.includes(device) !== true);
            if (lost.length === 0) continue;
            expect(pool).toBe(each.name);
            if (each.kind === 'set')
              expect(lost.filter((device) => each.devices.includes(device))).toEqual([]);
            else expect(each.kind).toBe('delete');
          }
        }
      }),
      { numRuns: 20 },
    );
  }, 240_000);
});
