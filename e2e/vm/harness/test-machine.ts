/** One machine under test: the virtual machine, the API inside it, and what is to be seen of it from outside. */
import { copyFileSync, existsSync, linkSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { output } from '../../../image/tools/programs.ts';
import { say } from '../../../image/tools/sentence.ts';
import { freePort } from '../../appliance/free-port.ts';
import { Rest } from '../../appliance/rest.ts';
import { type Client, ensureClient, seedOf } from '../client.ts';
import { addConsole } from '../console-addon.ts';
import { presentNic, withNic } from '../hardware/description.ts';
import { nicOf } from '../hardware/nic.ts';
import { plugNic, setLink, unplugNic } from '../hardware/plug.ts';
import { type Accelerator, Machine } from '../machine.ts';
import type { Qmp } from '../qmp.ts';
import { writeSeed } from '../seed-partition.ts';
import { Disk } from './disk.ts';
import { fileDrive } from './file-drive.ts';
import {
  type GuestAnswer,
  guestArgv,
  guestCredentials,
  guestSocket,
  runInGuest,
  succeedInGuest,
} from './guest.ts';
import { equip, type Hardware, tableArgv } from './hardware.ts';
import { type Medium, mediumArgv, mediumDevice, mediumNode } from './medium.ts';
import { SerialLog } from './serial-log.ts';
import { GaveUp, until, type Waiting } from './wait.ts';

/** A boot without KVM on a busy computer takes minutes. */
const bootMs = 12 * 60_000;
const memoryMs = 5 * 60_000;
const memoryMiB = 4096;

/** What a boot doesn't get over without somebody at the console. */
const hopeless =
  /.*(?:Kernel panic|You are in emergency mode|This boot failed\.|Please enter (?:passphrase|recovery key|PIN)).*/u;

/** The files that are a machine; the rest of its directory is logs. */
const stateFiles = ['disk.raw', 'vars.fd', 'tpm', 'incus'] as const;

export interface Host {
  readonly tools: string;
  readonly accelerator: Accelerator;
  /** The directory with the keys that the image is signed with. */
  readonly keys: string;
  /** Where the sockets of the cables to a neighbour are, if machines can have one. */
  readonly cables?: string;
}

/** What `GET /os/1.0` says about the running system. */
export interface Environment {
  readonly os_version: string;
  readonly os_version_next: string;
  readonly system_is_ready: boolean;
  readonly uptime: number;
}

export class TestMachine {
  readonly directory: string;
  readonly serial: SerialLog;
  readonly disk: Disk;
  private readonly host: Host;
  private readonly machine: Machine;
  private readonly port: number;
  private readonly hardware: Hardware;
  private readonly media: Medium[] = [];
  private control: Qmp | undefined;
  private client: Client | undefined;
  private connection: Rest | undefined;

  private constructor(host: Host, directory: string, port: number, hardware: Hardware) {
    this.host = host;
    this.directory = directory;
    this.port = port;
    this.hardware = hardware;
    this.serial = new SerialLog(join(directory, 'serial.log'));
    this.disk = new Disk(host.tools, join(directory, 'disk.raw'));
    this.machine = new Machine({
      ...{ tools: host.tools, directory, port, accelerator: host.accelerator, memory: memoryMiB },
      ...(host.cables === undefined ? {} : { cables: host.cables }),
    });
  }

  /** A machine with an image on its disk that was never switched on. */
  static async make(
    host: Host,
    directory: string,
    image: string,
    hardware: Hardware = {},
  ): Promise<TestMachine> {
    mkdirSync(directory, { recursive: true });
    const machine = new TestMachine(host, directory, await freePort(), hardware);
    machine.machine.create(image);
    await equip(machine.machine, hardware, guestCredentials(directory));
    await writeSeed(join(directory, 'disk.raw'), { ...seedOf(await machine.trusted()), ...hardware.seeds });
    await addConsole(host.tools, directory, host.keys);
    await machine.disk.layer();
    return machine;
  }

  /** A copy of a machine that was kept. */
  static async copy(
    host: Host,
    from: string,
    directory: string,
    hardware: Hardware = {},
  ): Promise<TestMachine> {
    mkdirSync(directory, { recursive: true });
    copyState(from, directory);
    if (existsSync(join(from, 'memory'))) linkSync(join(from, 'memory'), join(directory, 'memory'));
    const machine = new TestMachine(host, directory, await freePort(), hardware);
    await equip(machine.machine, hardware, guestCredentials(directory));
    return machine;
  }

  /** The client's certificate, which the seed has the machine trust. */
  async trusted(): Promise<Client> {
    this.client ??= await ensureClient(this.host.tools, join(this.directory, 'incus'));
    return this.client;
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  /** A client that the machine trusts. */
  async rest(): Promise<Rest> {
    const { certificate, key } = await this.trusted();
    this.connection ??= new Rest(this.url, { cert: certificate, key });
    return this.connection;
  }

  /** Switches the machine on and doesn't wait. */
  async switchOn(): Promise<void> {
    this.machine.start(this.argv);
    this.control = await this.machine.control();
  }

  /** Switches the machine on and waits for its API. */
  async boot(): Promise<Environment> {
    const began = performance.now();
    await this.switchOn();
    const environment = await this.ready();
    tell('from power-on to the API', began);
    return environment;
  }

  /** Goes on where the machine was when it was kept with its memory. */
  async resume(): Promise<Environment> {
    const began = performance.now();
    this.machine.start(this.argv, 'memory');
    this.control = await this.machine.control();
    await until('the return of the memory', memoryMs, async () =>
      (await this.qmp.status()) === 'inmigrate' ? undefined : true,
    );
    await this.qmp.ask('cont');
    const environment = await this.ready();
    tell('restored with its memory', began);
    return environment;
  }

  /** Waits until the system says that it is ready, `as` says which system that is. */
  async ready(as: (environment: Environment) => boolean = () => true): Promise<Environment> {
    return until(
      'the API',
      bootMs,
      async () => {
        this.assertAlive();
        const rest = await this.rest();
        const { environment } = await limited(rest.get<{ environment: Environment }>('/os/1.0'), 15_000);
        return environment.system_is_ready && as(environment) ? environment : undefined;
      },
      this.waiting,
    );
  }

  /** Waits for a sign on the serial console. @returns the console's text. */
  async console(sign: RegExp, from = 0, limitMs = bootMs): Promise<string> {
    return until(
      `${sign.source} on the console`,
      limitMs,
      () => {
        const text = this.serial.text(from);
        if (sign.test(text)) return text;
        if (!this.machine.isRunning())
          throw new GaveUp(`the machine went off before ${sign.source} on its console`);
        return undefined;
      },
      this.waiting,
    );
  }

  /** Presses the power button and waits until the machine is off. */
  async powerOff(): Promise<void> {
    this.disconnect();
    // QEMU talks to one at a time.
    this.control?.close();
    await this.machine.powerOff();
    await this.off();
  }

  /** Cuts the power. */
  async cutPower(): Promise<void> {
    this.disconnect();
    this.machine.kill();
    await this.off();
  }

  /** Keeps the machine as it is, with its memory, and ends it. @param target a directory that is there. */
  async keepWithMemory(target: string): Promise<void> {
    await this.qmp.ask('stop');
    await this.qmp.ask('migrate', { uri: 'file:/vm/memory' });
    await until('the copy of the memory', memoryMs, async () => {
      const { status } = (await this.qmp.ask('query-migrate')) as { status?: string };
      if (status === 'failed') throw new GaveUp('QEMU could not write the memory');
      return status === 'completed' ? true : undefined;
    });
    await this.cutPower();
    copyState(this.directory, target);
    copyFileSync(join(this.directory, 'memory'), join(target, 'memory'));
  }

  /** Keeps a machine that is off. @param target a directory that is there. */
  keep(target: string): void {
    copyState(this.directory, target);
  }

  /** Puts a medium into the machine before it is switched on. */
  insert(medium: Medium): void {
    this.media.push(medium);
  }

  /** Puts a medium into the running machine. */
  async plug(medium: Medium): Promise<void> {
    await this.qmp.ask('blockdev-add', mediumNode(medium));
    await this.qmp.ask('device_add', mediumDevice(medium));
  }

  /** Plugs a drive with files for the guest. @param image on the file system of the machine's directory. */
  async plugFiles(image: string): Promise<void> {
    linkSync(image, join(this.directory, 'files.img'));
    await this.plug(fileDrive('files.img'));
  }

  /** Plugs a network card in. @param text as `npm run vm -- --nic` takes it: `NAME[=NETWORK]`. @returns its MAC. */
  async addNic(text: string): Promise<string> {
    const { description, nic } = withNic(this.machine.description, nicOf(text));
    await plugNic(this.qmp, nic, description.port);
    this.machine.describe(description);
    return nic.mac;
  }

  /** Pulls a network card out. */
  async removeNic(name: string): Promise<void> {
    const { description } = this.machine;
    await unplugNic(this.qmp, presentNic(description, name));
    this.machine.describe({ ...description, nics: description.nics.filter((nic) => nic.name !== name) });
  }

  /** Plugs a network card's cable in, or pulls it out. */
  async cable(name: string, link: 'up' | 'down'): Promise<void> {
    const { description } = this.machine;
    const nic = { ...presentNic(description, name), link };
    await setLink(this.qmp, nic);
    this.machine.describe({
      ...description,
      nics: description.nics.map((one) => (one.name === name ? nic : one)),
    });
  }

  /** Has the guest run a script as root. @throws Error when it doesn't answer within the limit. */
  guest(script: string, limitMs?: number): Promise<GuestAnswer> {
    return runInGuest(this.guestSocket, script, limitMs);
  }

  /** As {@link guest}, for a script that has to succeed. @returns its output. */
  inGuest(script: string, limitMs?: number): Promise<string> {
    return succeedInGuest(this.guestSocket, script, limitMs);
  }

  /** What another process reaches the guest's shell by. */
  get guestSocket(): string {
    return join(this.directory, guestSocket);
  }

  /** A picture of the console. @param file where the PNG goes. */
  async screenshot(file: string): Promise<void> {
    await this.qmp.ask('screendump', { filename: '/vm/screen.png', format: 'png' });
    copyFileSync(join(this.directory, 'screen.png'), file);
  }

  isRunning(): boolean {
    return this.machine.isRunning();
  }

  /** Forgets connections, which a machine that starts anew doesn't know. */
  disconnect(): void {
    this.connection?.close();
    this.connection = undefined;
  }

  /** @throws GaveUp when the system will never come up by itself. */
  private assertAlive(): void {
    if (!this.machine.isRunning()) throw new GaveUp('the machine is off');
    const dead = hopeless.exec(this.serial.text());
    if (dead !== null) throw new GaveUp(`the console says: ${dead[0]}`);
  }

  private get waiting(): Waiting {
    return { sight: () => this.serial.text().trimEnd().split('\n').at(-1)?.slice(0, 120) ?? '' };
  }

  private get argv(): readonly string[] {
    return [...guestArgv, ...mediumArgv(this.media), ...tableArgv(this.hardware)];
  }

  private get qmp(): Qmp {
    if (this.control === undefined) throw new Error('the machine is off');
    return this.control;
  }

  private async off(): Promise<void> {
    this.control?.close();
    this.control = undefined;
    while (this.machine.isRunning()) await sleep(50);
    await this.disk.flatten();
  }
}

function tell(what: string, began: number): void {
  say(`  ${what}: ${((performance.now() - began) / 1_000).toFixed(1)} s`);
}

function copyState(from: string, to: string): void {
  const files = stateFiles.map((name) => join(from, name));
  output(['cp', '-a', '--sparse=always', '--reflink=auto', ...files, to]);
}

async function limited<T>(work: Promise<T>, limitMs: number): Promise<T> {
  const limit = new AbortController();
  try {
    return await Promise.race([
      work,
      sleep(limitMs, undefined, { signal: limit.signal }).then(() => {
        throw new Error('no answer');
      }),
    ]);
  } finally {
    limit.abort();
    work.catch(() => undefined);
  }
}
