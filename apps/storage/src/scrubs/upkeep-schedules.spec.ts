import type { JobContext, JobHandler, JobKind, Jobs, Schedule } from '@incusos/jobs';
import { openEmulatedHost } from '@incusos/host-emulated';
import { createLogger } from '@incusos/service';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Inventory } from '../inventory/inventory.ts';
import { drivePath, StorageAppliance } from '../testing/storage-appliance.ts';
import { ScrubsService } from './scrubs.service.ts';
import { UpkeepSchedules } from './upkeep-schedules.ts';

type Nothing = Record<string, never>;

/** Takes what would go into the queue, and runs a job when told to. */
class RecordedJobs {
  readonly schedules = new Map<string, Schedule>();
  readonly messages: unknown[] = [];
  private readonly handlers = new Map<string, JobHandler<Nothing>>();

  handle(name: string, handler: JobHandler<Nothing>): JobKind<Nothing> {
    this.handlers.set(name, handler);
    return {
      name,
      start: () => Promise.resolve('1'),
      schedule: (schedule: string, when: Schedule) => {
        this.schedules.set(schedule, when);
        return Promise.resolve();
      },
    };
  }

  unschedule(name: string): Promise<void> {
    this.schedules.delete(name);
    return Promise.resolve();
  }

  async run(name: string): Promise<void> {
    const progress = (step: unknown): void => {
      this.messages.push(step);
    };
    const context = {
      data: {},
      progress,
      signal: new AbortController().signal,
    } as unknown as JobContext<Nothing>;
    await this.handlers.get(name)?.(context);
  }
}

describe('scheduled upkeep', () => {
  let appliance: StorageAppliance;
  let inventory: Inventory;
  let jobs: RecordedJobs;
  let schedules: UpkeepSchedules;

  beforeEach(async () => {
    appliance = await StorageAppliance.started('one');
    await appliance.set({ name: 'tank', type: 'zfs-raid0', devices: [drivePath('one')] });
    const host = openEmulatedHost(appliance.machine);
    const logger = createLogger('storage');
    inventory = new Inventory(host, logger);
    inventory.watch();
    jobs = new RecordedJobs();
    schedules = new UpkeepSchedules(
      jobs as unknown as Jobs,
      host,
      inventory,
      new ScrubsService(host, inventory),
      logger,
    );
  });
  afterEach(async () => {
    inventory.onModuleDestroy();
    await appliance.remove();
  });

  it('is set for the time zone of the machine, follows it, and can be switched off', async () => {
    const { files } = appliance.machine;
    await files.remove('/etc/localtime');
    await schedules.follow({ scrub_schedule: '0 4 * * 0', trim_schedule: '0 2 * * 0' });
    expect(jobs.schedules.get('pool-scrub')).toEqual({ cron: '0 4 * * 0', timezone: 'UTC' });
    await files.makeSymlink('../usr/share/zoneinfo/America/New_York', '/etc/localtime');
    await schedules.zoneMayHaveChanged();
    expect(jobs.schedules.get('pool-trim')).toEqual({ cron: '0 2 * * 0', timezone: 'America/New_York' });
    await schedules.follow({ scrub_schedule: '5 5 * * *', trim_schedule: '' });
    expect([...jobs.schedules]).toEqual([
      ['pool-scrub', { cron: '5 5 * * *', timezone: 'America/New_York' }],
    ]);
  });

  it('takes one pool after another, and leaves out one that is under way', async () => {
    await jobs.run('pool-scrub');
    const [local, tank] = appliance.machine.read().storage.pools.map(({ scan }) => scan);
    expect(tank?.started).toBeGreaterThanOrEqual((local?.started ?? 0) + (local?.duration ?? 0));
    await appliance.client.scrubPool({ name: 'local' });
    await jobs.run('pool-scrub');
    expect(appliance.machine.read().storage.pools[1]?.scan?.started).toBeGreaterThan(tank?.started ?? 0);
    expect(jobs.messages).toContainEqual({ percent: 50, message: 'scrub of zpool tank' });
  });
});
