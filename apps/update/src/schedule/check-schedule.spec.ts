import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CatalogueApplication } from '@incusos/contracts/applications';
import { type Host, LocalFiles, LocalPrograms } from '@incusos/host';
import { openJobs } from '@incusos/jobs';
import { createLogger, DomainError, type Logger } from '@incusos/service';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UpdateChecks } from '../checks/update-checks.service.ts';
import type { Providers } from '../providers/providers.service.ts';
import type { ReleaseProvider } from '../providers/release-provider.ts';
import { openUpdateState, type UpdateStore } from '../state/update-state.ts';
import { CheckSchedule } from './check-schedule.ts';

/** The queue: keeps what it was told, and does the job when the test says so. */
class Queue {
  crons: string[] = [];
  private handler: ((job: never) => Promise<void>) | undefined;

  handle(_name: string, handler: (job: never) => Promise<void>): object {
    this.handler = handler;
    return {
      name: 'check',
      schedule: (_schedule: string, { cron }: { cron: string }) => {
        this.crons.push(cron);
        return Promise.resolve();
      },
    };
  }

  async run(): Promise<void> {
    await this.handler?.({} as never);
  }
}

let directory: string;
let store: UpdateStore;
let checks: UpdateChecks;
let queue: Queue;
let schedule: CheckSchedule;
let logger: Logger;
let asked: number;
let installed: () => Promise<CatalogueApplication[]>;
let host: Host;

function open(jobs: object): CheckSchedule {
  const applications = { listCatalogue: async () => ({ applications: await installed() }) };
  return new CheckSchedule(host, store, checks, applications, { firstCheckMs: 5 }, logger, jobs as never);
}

const configure = (
  check_frequency: string,
  maintenance_windows: UpdateStore['current']['update']['maintenance_windows'] = [],
): Promise<unknown> =>
  store.commit('test', (state) => ({
    ...state,
    update: { ...state.update, check_frequency, maintenance_windows },
  }));

/** One that is closed for the next hours. */
const later = (): UpdateStore['current']['update']['maintenance_windows'] => {
  const hour = (new Date().getUTCHours() + 3) % 24;
  return [{ start_hour: hour, start_minute: 0, end_hour: hour, end_minute: 30 }];
};

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sched-'));
  host = { files: new LocalFiles(directory), programs: new LocalPrograms() };
  await host.files.writeAtomic('/usr/lib/os-release', 'NAME=IncusOS\nIMAGE_VERSION=202511041601\n');
  store = await openUpdateState(host);
  logger = createLogger('update');
  logger.silent = true;
  asked = 0;
  const provider: ReleaseProvider = {
    name: 'debug',
    canRegister: false,
    register: () => Promise.resolve(),
    clearCache: () => undefined,
    newestRelease: () => {
      asked += 1;
      return Promise.resolve(undefined);
    },
  };
  const providers: Pick<Providers, 'current' | 'completeRegistration'> = {
    current: () => provider,
    completeRegistration: () => Promise.resolve(),
  };
  checks = new UpdateChecks(host, store, providers as Providers, logger);
  installed = () =>
    Promise.resolve([CatalogueApplication.create({ name: 'incus', primary: true, installed: true })]);
  queue = new Queue();
  schedule = open(queue);
});

afterEach(async () => {
  schedule.onModuleDestroy();
  vi.useRealTimers();
  await rm(directory, { recursive: true, force: true });
});

async function afterStart(): Promise<void> {
  schedule.onApplicationBootstrap();
  await vi.waitUntil(() => queue.crons.length > 0, { timeout: 30_000 });
}

/** Lets time pass up to the planned check, when the queue would start it. */
async function comeDue(): Promise<void> {
  const plans = queue.crons.length;
  vi.useFakeTimers({ toFake: ['Date'], now: schedule.next?.at ?? 0 });
  await queue.run();
  await vi.waitUntil(() => queue.crons.length > plans, { timeout: 30_000 });
}

describe('the schedule of checks', () => {
  it('begins with a check after the start and plans the next by the frequency', async () => {
    await afterStart();
    expect(asked).toBe(1);
    const wait = (schedule.next?.at.getTime() ?? 0) - (checks.status.lastCheck?.getTime() ?? 0);
    expect(wait).toBe(6 * 3600 * 1000);
  });

  it('checks when the time has come, and plans again', async () => {
    await afterStart();
    const first = schedule.next?.at.getTime() ?? 0;
    await comeDue();
    expect(asked).toBe(2);
    await vi.waitUntil(() => (schedule.next?.at.getTime() ?? 0) === first + 6 * 3600 * 1000, {
      timeout: 30_000,
    });
  });

  it('does not check because of a job that comes too early', async () => {
    await afterStart();
    await queue.run();
    await sleep(20);
    expect(asked).toBe(1);
  });

  it('checks at startup outside of the windows, but not later', async () => {
    await configure('1h', later());
    await afterStart();
    expect(asked).toBe(1);
    await comeDue();
    expect(asked).toBe(1);
    expect(checks.status.inZone('UTC').status).toBe('Skipping update check outside of maintenance window(s)');
  });

  it('plans anew with a new configuration', async () => {
    await afterStart();
    await configure('12h');
    schedule.replan();
    await vi.waitUntil(() => queue.crons.length > 1, { timeout: 30_000 });
    const wait = (schedule.next?.at.getTime() ?? 0) - (checks.status.lastCheck?.getTime() ?? 0);
    expect(wait).toBe(12 * 3600 * 1000);
  });

  it('never checks by itself when told so', async () => {
    await configure('never');
    await afterStart();
    expect(schedule.next?.check).toBe(false);
    await comeDue();
    expect(asked).toBe(0);
  });

  it('checks all the same while the machine has no primary application', async () => {
    installed = () =>
      Promise.resolve([CatalogueApplication.create({ name: 'incus', primary: true, installed: false })]);
    await configure('never');
    await afterStart();
    expect(asked).toBe(1);
    expect(schedule.next?.check).toBe(true);
  });

  it('does not check against the will of its owner when applications are not known', async () => {
    installed = () => Promise.reject(new DomainError('UNAVAILABLE', 'gone'));
    await configure('never');
    await afterStart();
    expect(asked).toBe(0);
    expect(checks.status.inZone('UTC')).toMatchObject({
      status: 'Failed to check if a primary application is installed',
      last_error: 'gone',
    });
  });
});

describe('the schedule in a queue on Valkey', () => {
  it('is there once Valkey is, although it was planned before', async () => {
    const socket = join(directory, 'v.sock');
    const jobs = openJobs({ service: 'update', logger, socket, startDelayMs: 0 });
    const real = open(jobs);
    jobs.onApplicationBootstrap();
    real.replan();
    await vi.waitUntil(() => real.next !== undefined, { timeout: 30_000 });
    expect(jobs.available).toBe(false);
    const programs = new LocalPrograms();
    const program = await programs.run(['valkey-server', '--version']).then(
      () => 'valkey-server',
      () => 'redis-server',
    );
    const server = programs.stream([
      program,
      '--port',
      '0',
      '--unixsocket',
      socket,
      '--save',
      '',
      '--dir',
      directory,
    ]);
    server.stdout.resume();
    const { Redis: Client } = await import('ioredis');
    let client: Redis | undefined;
    try {
      await vi.waitUntil(() => jobs.available, { timeout: 30_000 });
      client = new Client({ path: socket, maxRetriesPerRequest: null });
      const { Queue: BullQueue } = await import('bullmq');
      const bull = new BullQueue('update', { connection: client, prefix: 'incusos' });
      await vi.waitUntil(async () => (await bull.getJobSchedulers()).length === 1, { timeout: 30_000 });
      const [scheduler] = await bull.getJobSchedulers();
      const planned = real.next?.at.getTime() ?? 0;
      expect((scheduler?.next ?? 0) - planned).toBeGreaterThanOrEqual(0);
      expect((scheduler?.next ?? 0) - planned).toBeLessThanOrEqual(60_000);
      await bull.close();
    } finally {
      client?.disconnect();
      real.onModuleDestroy();
      await jobs.onModuleDestroy();
      server.stop();
      await server.finished.catch(() => undefined);
    }
  });
});
