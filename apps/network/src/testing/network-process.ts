/** The network service as the process that ships, so that it can be killed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { NetworkServiceService } from '@incusos/contracts/network';
import { LocalPrograms, type ProgramStream } from '@incusos/host';
import { checkHealth, connectService, type ServiceClient, type ServiceConnection } from '@incusos/service';
import { rolldown } from 'rolldown';

/** Bundles the service and the emulated machine. */
export async function buildPrograms(): Promise<string> {
  const output = await mkdtemp(join(tmpdir(), 'net-programs-'));
  for (const [entry, file] of [
    ['../main.ts', 'network.mjs'],
    ['../../../../libs/host-emulated/src/index.ts', 'host-emulated.mjs'],
  ] as const) {
    const bundle = await rolldown({
      input: fileURLToPath(new URL(entry, import.meta.url)),
      platform: 'node',
      external: [/^@nestjs\/(?:websockets|microservices|platform-express)/u],
      logLevel: 'silent',
      transform: { target: 'node24', decorator: { legacy: true, emitDecoratorMetadata: true } },
    });
    await bundle.write({ file: join(output, file), format: 'esm', codeSplitting: false, keepNames: true });
    await bundle.close();
  }
  return output;
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

  async start(): Promise<void> {
    this.runs = await mkdtemp(join(tmpdir(), 'net-run-'));
    const env = {
      INCUSOS_HOST_MODULE: join(this.programs, 'host-emulated.mjs'),
      INCUSOS_MACHINE_DIR: this.machine,
      INCUSOS_RUN_DIR: this.runs,
    };
    this.process = new LocalPrograms().stream([process.execPath, join(this.programs, 'network.mjs')], {
      env,
    });
    this.process.stdout.resume();
    const socket = join(this.runs, 'network.sock');
    while (!(await checkHealth('network', 5_000, socket))) await sleep(50);
    this.connection = connectService('network', socket);
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
