/** An emulated machine with the storage service on it, reached as everyone reaches it: over its socket. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type SystemStorageDrive,
  type SystemStoragePool,
  StorageServiceService,
  SystemStorageConfig,
} from '@incusos/contracts/storage';
import type { Host } from '@incusos/host';
import { areas, EmulatedMachine, openEmulatedHost, switchOff, switchOn } from '@incusos/host-emulated';
import {
  connectService,
  type RunningService,
  type ServiceClient,
  type ServiceConnection,
  startService,
} from '@incusos/service';
import { StorageModule } from '../storage.module.ts';

export const scrub_schedule = '0 4 * * 0';

/** The path of a drive that was added under a short name. */
export function drivePath(name: string): string {
  return `/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_${name}`;
}

export class StorageAppliance {
  private running: RunningService | undefined;
  private connected: ServiceConnection | undefined;
  private starts = 0;
  /** What the service works on; tests put faults into it before it starts. */
  host: Host;

  private constructor(
    readonly directory: string,
    readonly machine: EmulatedMachine,
  ) {
    this.host = openEmulatedHost(machine);
  }

  /** A machine that is on, with these drives beside its system disk, without the service. */
  static async create(...drives: string[]): Promise<StorageAppliance> {
    const directory = await mkdtemp(join(tmpdir(), 'sto-'));
    const machine = new EmulatedMachine(directory);
    machine.create();
    await switchOn(machine);
    const appliance = new StorageAppliance(directory, machine);
    for (const drive of drives) await appliance.addDrive(drive);
    return appliance;
  }

  static async started(...drives: string[]): Promise<StorageAppliance> {
    const appliance = await StorageAppliance.create(...drives);
    await appliance.start();
    return appliance;
  }

  get client(): ServiceClient<typeof StorageServiceService> {
    return this.connection.use(StorageServiceService);
  }

  get connection(): ServiceConnection {
    if (this.connected === undefined) throw new Error('the service was not started');
    return this.connected;
  }

  async start(): Promise<void> {
    const socket = join(this.directory, `s${(this.starts += 1)}.sock`);
    this.running = await startService(
      StorageModule.on(() => Promise.resolve(this.host)),
      'storage',
      { socket },
    );
    this.connected = connectService('storage', socket);
  }

  async stop(): Promise<void> {
    this.connected?.close();
    this.connected = undefined;
    await this.running?.stop();
    this.running = undefined;
  }

  /** Forgets the service as it is, as if it had been killed. */
  abandon(): void {
    this.connected?.close();
    this.connected = undefined;
    this.running = undefined;
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  /** The machine loses its power, and comes back. */
  async powerCycle(): Promise<void> {
    await this.stop();
    await switchOff(this.machine);
    await switchOn(this.machine);
  }

  async pools(): Promise<SystemStoragePool[]> {
    return (await this.client.getStorage({})).storage?.state?.pools ?? [];
  }

  async pool(name: string): Promise<SystemStoragePool | undefined> {
    return (await this.pools()).find((pool) => pool.name === name);
  }

  async drive(name: string): Promise<SystemStorageDrive | undefined> {
    const drives = (await this.client.getStorage({})).storage?.state?.drives ?? [];
    return drives.find(({ id }) => id === name || id === drivePath(name));
  }

  async set(
    ...pools: NonNullable<Parameters<typeof SystemStorageConfig.fromPartial>[0]['pools']>
  ): Promise<void> {
    await this.client.setConfig(
      { config: SystemStorageConfig.fromPartial({ scrub_schedule, pools }) },
      { timeoutMs: 60_000 },
    );
  }

  addDrive(name: string, size = '10GiB', bus = 'scsi'): Promise<string> {
    return this.command('drive add', [name], { size, bus });
  }

  /** A command that changes the machine from outside, such as `drive fail`. */
  async command(name: string, args: string[], options: Record<string, string> = {}): Promise<string> {
    const found = areas.flatMap(({ commands }) => commands).find((command) => command.name === name);
    if (found === undefined) throw new Error(`there is no command ${name}`);
    return found.run(this.machine, args, options);
  }

  /** The files of the service's own room. */
  files(): Promise<string[]> {
    return this.machine.files.list('/var/lib/incus-os/storage');
  }
}

/** Waits for something that happens by itself; generous, since machines differ. */
export async function eventually(check: () => Promise<boolean>, withinMs = 30_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error('it did not happen in time');
    await sleep(50);
  }
}
