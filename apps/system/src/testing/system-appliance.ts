/** The system service on an emulated machine of its own, over a real socket, for each test of a file. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DebugServiceService,
  SystemKernelConfig,
  SystemLoggingConfig,
  SystemServiceService,
} from '@incusos/contracts/system';
import type { Host } from '@incusos/host';
import { EmulatedMachine, openEmulatedHost, switchOn } from '@incusos/host-emulated';
import {
  connectService,
  type RunningService,
  type ServiceClient,
  type ServiceConnection,
  startService,
} from '@incusos/service';
import { afterEach, beforeEach, vi } from 'vitest';
import { SystemModule } from '../system.module.ts';

type LogQuery = Parameters<ServiceClient<typeof DebugServiceService>['streamLog']>[0];

export class SystemAppliance {
  readonly machine: EmulatedMachine;
  readonly host: Host;
  private readonly directory: string;
  private running: RunningService | undefined;
  private link: ServiceConnection | undefined;
  private starts = 0;

  constructor(directory: string) {
    this.directory = directory;
    this.machine = new EmulatedMachine(directory);
    this.machine.create();
    this.host = openEmulatedHost(this.machine);
  }

  get connection(): ServiceConnection {
    if (this.link === undefined) throw new Error('the service does not run');
    return this.link;
  }

  get system(): ServiceClient<typeof SystemServiceService> {
    return this.connection.use(SystemServiceService);
  }

  get debug(): ServiceClient<typeof DebugServiceService> {
    return this.connection.use(DebugServiceService);
  }

  async start(): Promise<void> {
    this.starts += 1;
    const socket = join(this.directory, `system-${this.starts}.sock`);
    const open = (): Promise<Host> => Promise.resolve(this.host);
    this.running = await startService(SystemModule.on(open), 'system', { socket });
    this.link = connectService('system', socket);
  }

  async stop(): Promise<void> {
    this.link?.close();
    this.link = undefined;
    await this.running?.stop();
    this.running = undefined;
  }

  async text(path: string): Promise<string> {
    return (await this.host.files.readText(path)).trim();
  }

  setKernel(config: Parameters<typeof SystemKernelConfig.fromPartial>[0]): Promise<unknown> {
    return this.system.setKernelConfig({ config: SystemKernelConfig.fromPartial(config) });
  }

  setLogging(config: Parameters<typeof SystemLoggingConfig.fromPartial>[0]): Promise<unknown> {
    return this.system.setLoggingConfig({ config: SystemLoggingConfig.fromPartial(config) });
  }

  async log(query: LogQuery): Promise<Record<string, unknown>[]> {
    const entries: Record<string, unknown>[] = [];
    for await (const { entry } of this.debug.streamLog(query))
      entries.push(JSON.parse(entry) as Record<string, unknown>);
    return entries;
  }
}

/** Gives each test of the file an appliance that runs. @returns a way to the one of the running test. */
export function forEachTest(): SystemAppliance {
  let current: SystemAppliance | undefined;
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sys-'));
    vi.stubEnv('INCUSOS_RUN_DIR', directory);
    vi.stubEnv('INCUSOS_LOG_LEVEL', 'error');
    current = new SystemAppliance(directory);
    await switchOn(current.machine);
    await current.start();
  });
  afterEach(async () => {
    await current?.stop();
    vi.unstubAllEnvs();
    await rm(directory, { recursive: true });
  });
  return new Proxy({} as SystemAppliance, {
    get: (_, property) => {
      if (current === undefined) throw new Error('no test runs');
      const value: unknown = Reflect.get(current, property, current);
      return typeof value === 'function' ? (value.bind(current) as unknown) : value;
    },
  });
}
