/** A machine in a temporary directory with the backup service and stand-ins for the others as real processes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BackupServiceService, type RestoreRequest } from '@incusos/contracts/backup';
import { StateOwnerService } from '@incusos/contracts/state';
import { LocalFiles, LocalPrograms, type ProgramStream } from '@incusos/host';
import { checkHealth, connectService, type ServiceClient, serviceNames } from '@incusos/service';
import { bundlePrograms } from '@incusos/service/testing';

export const owners = serviceNames.filter((name) => name !== 'backup');

/** What runs in one process. The two that tests kill have one of their own. */
const processes = {
  backup: ['backup'],
  network: ['network'],
  storage: ['storage'],
  others: owners.filter((name) => name !== 'network' && name !== 'storage'),
} as const;

export type ProcessName = keyof typeof processes;

export class MachineUnderTest {
  readonly files: LocalFiles;
  private readonly running = new Map<ProcessName, ProgramStream>();
  private log = '';

  private constructor(
    private readonly directory: string,
    private readonly programs: string,
  ) {
    this.files = new LocalFiles(join(directory, 'root'));
  }

  /** Bundles what the processes run; once for all machines. */
  static build(): Promise<string> {
    return bundlePrograms({
      'backup.mjs': new URL('../main.ts', import.meta.url),
      'owner.mjs': new URL('./owner-process.ts', import.meta.url),
    });
  }

  static async create(programs: string): Promise<MachineUnderTest> {
    const machine = new MachineUnderTest(await mkdtemp(join(tmpdir(), 'backup-')), programs);
    await machine.files.makeDirectory('/control');
    return machine;
  }

  /** What the processes wrote. */
  get output(): string {
    return this.log;
  }

  async start(...names: ProcessName[]): Promise<void> {
    const wanted = names.length === 0 ? (Object.keys(processes) as ProcessName[]) : names;
    for (const name of wanted) this.spawn(name);
    for (const service of wanted.flatMap((name) => processes[name])) {
      while (!(await checkHealth(service, 5_000, this.socket(service)))) await sleep(50);
    }
  }

  /** Kills a process as a crash would. */
  async kill(name: ProcessName): Promise<void> {
    const process = this.running.get(name);
    this.running.delete(name);
    process?.stop();
    await process?.finished.catch(() => undefined);
  }

  async remove(): Promise<void> {
    await Promise.all([...this.running.keys()].map(async (name) => this.kill(name)));
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Gives the state of all services a word. */
  async setAll(word: string): Promise<void> {
    for (const service of owners) await this.files.writeAtomic(`/control/${service}.set`, word);
    for (const service of owners) await this.gone(`/control/${service}.set`);
  }

  /** The words of all services, and their keys', without repetition. */
  async words(): Promise<string[]> {
    const words = new Set<string>();
    for (const service of owners) {
      const [line = ''] = (await this.files.readText(`/var/lib/incus-os/${service}/state.json`)).split('\n');
      const { data } = JSON.parse(line) as { data: { word: string } };
      words.add(data.word);
      words.add((await this.files.readText(`/var/lib/incus-os/${service}/secret.key`)).replace('key ', ''));
    }
    return [...words].toSorted();
  }

  /** Services that still keep an import aside. */
  async keptAside(): Promise<string[]> {
    const found: string[] = [];
    for (const service of owners) {
      const names = await this.files.list(`/var/lib/incus-os/${service}`);
      if (names.some((name) => name.includes('import-'))) found.push(service);
    }
    return found;
  }

  /** Whether the backup service has a restore on its record that was decided and isn't complete. */
  async committing(): Promise<boolean> {
    const path = '/var/lib/incus-os/backup/state.json';
    if (!(await this.files.exists(path))) return false;
    const [line = ''] = (await this.files.readText(path)).split('\n');
    const { data } = JSON.parse(line) as { data: { restore?: { phase: string } } };
    return data.restore?.phase === 'committing';
  }

  async hold(service: string, where: 'stage' | 'apply'): Promise<void> {
    await this.files.writeAtomic(`/control/${service}.hold-${where}`, '');
  }

  /** Waits until a service is at the point where it was to hold. */
  async held(service: string, where: 'stage' | 'apply'): Promise<void> {
    while (!(await this.files.exists(`/control/${service}.hold-${where}.reached`))) await sleep(10);
  }

  async release(service: string, where: 'stage' | 'apply'): Promise<void> {
    await this.files.remove(`/control/${service}.hold-${where}`);
    await this.files.remove(`/control/${service}.hold-${where}.reached`);
  }

  async refuse(service: string, text: string): Promise<void> {
    await this.files.writeAtomic(`/control/${service}.refuse`, text);
  }

  async reboots(): Promise<number> {
    if (!(await this.files.exists('/control/reboots'))) return 0;
    return (await this.files.readText('/control/reboots')).split('\n').length - 1;
  }

  async backup(): Promise<Buffer> {
    return this.call(async (client) => {
      const chunks: Buffer[] = [];
      for await (const { chunk } of client.createBackup({})) chunks.push(chunk);
      return Buffer.concat(chunks);
    });
  }

  async restore(archive: Buffer, skip: string[] = []): Promise<void> {
    await this.call(async (client) => client.restore(requests(archive, skip), { timeoutMs: 60_000 }));
  }

  /** Ends the backup service's own refusal of its journal. */
  async recoverJournal(use: 'previous' | 'initial'): Promise<void> {
    const connection = connectService('backup', this.socket('backup'));
    await connection
      .use(StateOwnerService)
      .recoverState({ use })
      .finally(() => connection.close());
  }

  private async call<R>(
    work: (client: ServiceClient<typeof BackupServiceService>) => Promise<R>,
  ): Promise<R> {
    const connection = connectService('backup', this.socket('backup'));
    try {
      return await work(connection.use(BackupServiceService));
    } finally {
      connection.close();
    }
  }

  private socket(service: string): string {
    return join(this.directory, `${service}.sock`);
  }

  private async gone(path: string): Promise<void> {
    while (await this.files.exists(path)) await sleep(10);
  }

  private spawn(name: ProcessName): void {
    const file = join(this.programs, name === 'backup' ? 'backup.mjs' : 'owner.mjs');
    const child = new LocalPrograms().stream([process.execPath, file, ...processes[name]], {
      env: { INCUSOS_ROOT: join(this.directory, 'root'), INCUSOS_RUN_DIR: this.directory },
    });
    child.stdout.on('data', (text: Buffer) => (this.log += text.toString()));
    this.running.set(name, child);
  }
}

async function* requests(archive: Buffer, skip: string[]): AsyncGenerator<RestoreRequest> {
  yield { skip, chunk: Buffer.alloc(0) };
  for (let offset = 0; offset < archive.length; offset += 1000) {
    yield { skip: [], chunk: archive.subarray(offset, offset + 1000) };
  }
}
