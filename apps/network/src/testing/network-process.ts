/** The network service as the process that ships, so that it can be killed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NetworkServiceService } from '@incusos/contracts/network';
import { LocalPrograms, type ProgramStream } from '@incusos/host';
import { checkHealth, connectService, type ServiceClient, type ServiceConnection } from '@incusos/service';
import { bundlePrograms } from '@incusos/service/testing';

/** Bundles the service and the emulated machine. */
export function buildPrograms(): Promise<string> {
  return bundlePrograms({
    'network.mjs': new URL('../main.ts', import.meta.url),
    'host-emulated.mjs': new URL('../../../../libs/host-emulated/src/index.ts', import.meta.url),
    'mortal-host.mjs': new URL('./mortal-host.ts', import.meta.url),
  });
}

export class NetworkProcess {
  private process: ProgramStream | undefined;
  private connection: ServiceConnection | undefined;
  private runs = '';

  /**
   * @param programs what {@link buildPrograms} made.
   * @param machine directory of the emulated machine.
   */
  constructor(
    private readonly programs: string,
    private readonly machine: string,
  ) {}

  get client(): ServiceClient<typeof NetworkServiceService> {
    if (this.connection === undefined) throw new Error('the process was not started');
    return this.connection.use(NetworkServiceService);
  }

  /**
   * @param killedBefore number of the operation, counted from the first one of a change, before which it kills itself;
   * never unless given.
   */
  async start(killedBefore?: number): Promise<void> {
    this.runs = await mkdtemp(join(tmpdir(), 'net-run-'));
    const host = killedBefore === undefined ? 'host-emulated.mjs' : 'mortal-host.mjs';
    const env = {
      INCUSOS_HOST_MODULE: join(this.programs, host),
      INCUSOS_MACHINE_DIR: this.machine,
      INCUSOS_RUN_DIR: this.runs,
      KILLED_BEFORE: String(killedBefore ?? ''),
    };
    this.process = new LocalPrograms().stream([process.execPath, join(this.programs, 'network.mjs')], {
      env,
    });
    this.process.stdout.resume();
    const socket = join(this.runs, 'network.sock');
    while (!(await checkHealth('network', 5_000, socket))) await sleep(50);
    this.connection = connectService('network', socket);
  }

  /** Waits until it ended by itself. */
  async ended(): Promise<void> {
    await this.process?.finished.catch(() => undefined);
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    this.process?.stop();
    await this.process?.finished.catch(() => undefined);
    this.connection?.close();
    this.process = undefined;
    await rm(this.runs, { recursive: true, force: true });
  }
}
