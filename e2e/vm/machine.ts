/**
 * One virtual machine: a directory with its disk, firmware variables, TPM and the description of its hardware, and QEMU
 * around them.
 *
 * Invariants: what listens, listens on this computer only; QEMU and the TPM end with this process, however it ends;
 * a directory's machine belongs to the process that serves its control socket.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { output } from '../../image/tools/programs.ts';
import { insideArgv } from '../../image/tools/roots.ts';
import { UserError } from '../../image/tools/sentence.ts';
import { ControlServer } from './control/server.ts';
import { cableDirectory } from './neighbour/cable.ts';
import { type Description, readDescription, writeDescription } from './hardware/description.ts';
import { busArgv, pluggedArgv } from './hardware/devices.ts';
import { setLink } from './hardware/plug.ts';
import { Qmp } from './qmp.ts';

/** The smallest disk that the system takes. */
const diskBytes = 50 * 1024 ** 3;
const firmware = '/usr/share/OVMF';
/** A machine that is busy without acceleration takes more than a minute to stop its services. */
const powerOffMs = 300_000;
/** sun_path of unix(7). */
const socketPathBytes = 107;

export type Accelerator = 'kvm' | 'tcg';

export interface MachineOptions {
  readonly tools: string;
  readonly directory: string;
  readonly accelerator: Accelerator;
  /** The port of this computer behind which the API is; else the described one. */
  readonly port?: number;
  /** MiB; else what is described. */
  readonly memory?: number;
  /** Files that the machine gets as systemd credentials, by name; else the described ones. */
  readonly credentials?: Readonly<Record<string, string>>;
  /** The directory whose disks those in `directory` are layers over, which QEMU sees as `/base`. */
  readonly base?: string;
  /** The directory with the sockets of the cables to the neighbour. */
  readonly cables?: string;
}

/** Arguments for systemd credentials: the files of the machine's directory by the credentials' names. */
export function credentialArgv(credentials: Readonly<Record<string, string>>): string[] {
  return Object.entries(credentials).flatMap(([name, file]) => [
    '-fw_cfg',
    `name=opt/io.systemd.credentials/${name},file=/vm/${file}`,
  ]);
}

export class Machine {
  private qemu: ChildProcess | undefined;
  private tpm: ChildProcess | undefined;
  private server: ControlServer | undefined;
  private more: readonly string[] = [];
  private readonly atExit = (): void => this.cut();
  /** How often it was switched on by this process. */
  boots = 0;
  /** Whether its power was cut, as opposed to a machine that ended by itself. */
  wasCut = false;
  private readonly options: MachineOptions;

  constructor(options: MachineOptions) {
    this.options = options;
    if (Buffer.byteLength(this.path('guest.sock')) > socketPathBytes)
      throw new UserError(`${options.directory} is too long for the sockets in it; choose a shorter --dir.`);
  }

  /** Whether the directory holds a machine already. */
  get exists(): boolean {
    return existsSync(this.path('disk.raw')) || existsSync(this.path('disk.qcow2'));
  }

  get directory(): string {
    return this.options.directory;
  }

  get tools(): string {
    return this.options.tools;
  }

  /** The hardware, as the next start will have it and a running machine has it. */
  get description(): Description {
    const { port, memory, credentials } = this.options;
    return {
      ...readDescription(this.options.directory),
      ...(port === undefined ? {} : { port }),
      ...(memory === undefined ? {} : { memory }),
      ...(credentials === undefined ? {} : { credentials }),
    };
  }

  describe(description: Description): void {
    writeDescription(this.options.directory, description);
  }

  /** Whether QEMU runs. */
  isRunning(): boolean {
    return this.qemu?.pid !== undefined && this.qemu.exitCode === null && this.qemu.signalCode === null;
  }

  /** QEMU's exit code, or the signal that ended it; none while it runs. */
  get ended(): number | NodeJS.Signals | undefined {
    return this.qemu?.exitCode ?? this.qemu?.signalCode ?? undefined;
  }

  get accelerator(): Accelerator {
    return this.options.accelerator;
  }

  /** What QEMU had to say. */
  qemuLog(): string {
    const path = this.path('qemu.log');
    return existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
  }

  /** A file of the machine's directory. */
  path(name: string): string {
    return join(this.options.directory, name);
  }

  /** A new machine with a copy of an image as its disk, blank firmware and a blank TPM. */
  create(image: string): void {
    mkdirSync(this.path('tpm'), { recursive: true });
    const partial = this.path('disk.partial');
    output(['cp', '--sparse=always', image, partial]);
    truncateSync(partial, diskBytes);
    copyFileSync(join(this.options.tools, firmware, 'OVMF_VARS_4M.fd'), this.path('vars.fd'));
    output(['mv', partial, this.path('disk.raw')]);
  }

  /**
   * Makes the directory's machine this process' own: others reach it by the control socket from now on.
   * @param directory where the socket is to be, unless with the machine.
   * @throws UserError when another process has it.
   */
  async claim(directory = this.options.directory): Promise<void> {
    this.server = await ControlServer.listen(directory, this);
  }

  /**
   * Switches the machine on.
   * @param more arguments of QEMU beside those that every machine has.
   * @param memory a file of the directory with the memory to go on with, instead of booting.
   */
  start(more: readonly string[] = [], memory?: string): void {
    this.more = more;
    if (this.boots === 0) process.on('exit', this.atExit);
    this.boots += 1;
    this.wasCut = false;
    for (const name of ['qmp.sock', 'ctl.qmp', 'tpm.sock', 'guest.sock', 'serial.log', 'report.log'])
      rmSync(this.path(name), { force: true });
    const description = this.insertTpm();
    const argv = [...this.qemuArgv(description), ...more];
    if (memory !== undefined) argv.push('-incoming', `file:/vm/${memory}`);
    if (description.tpm) this.startTpm();
    // QEMU connects to the TPM once, at its start.
    const wait = description.tpm ? 'until [ -S /vm/tpm.sock ]; do sleep 0.05; done; ' : '';
    this.qemu = this.spawn('qemu', ['sh', '-c', `${wait}exec "$@"`, 'sh', ...argv]);
    this.server ??= ControlServer.serve(this.options.directory, this);
    if (description.nics.some(({ link }) => link === 'down')) void this.pullCables(description);
  }

  /** Switches on a machine that was switched off from outside, with the arguments that it had. */
  startAgain(): void {
    this.start(this.more);
  }

  /** The control channel, as soon as QEMU has it. @throws UserError when QEMU ended instead. */
  async control(socket: 'qmp.sock' | 'ctl.qmp' = 'qmp.sock'): Promise<Qmp> {
    for (;;) {
      try {
        return await Qmp.connect(this.path(socket));
      } catch {
        if (!this.isRunning()) throw new UserError(`QEMU ended:\n${this.qemuLog()}`);
        await sleep(100);
      }
    }
  }

  /** Presses the power button and waits; pulls the plug of a machine that doesn't react. */
  async powerOff(): Promise<void> {
    await this.shutDown();
    this.kill();
  }

  /** Presses the power button and waits, for as long as a machine may take to react. @returns whether it is off. */
  async shutDown(): Promise<boolean> {
    if (!this.isRunning()) return true;
    const qmp = await this.control('ctl.qmp');
    await qmp.ask('system_powerdown').catch(() => undefined);
    const end = Date.now() + powerOffMs;
    while (this.isRunning() && Date.now() < end) await sleep(200);
    qmp.close();
    return !this.isRunning();
  }

  /** Pulls the plug. The machine is still this process' own. */
  cut(): void {
    this.wasCut = true;
    for (const child of [this.qemu, this.tpm]) {
      if (child?.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    }
  }

  /** Pulls the plug and gives the machine up. */
  kill(): void {
    this.cut();
    process.off('exit', this.atExit);
    this.boots = 0;
    this.server?.close();
    this.server = undefined;
  }

  /** Does what was asked of the TPM while it was in use. */
  private insertTpm(): Description {
    const { description } = this;
    if (description.clear_tpm !== true) return description;
    rmSync(this.path('tpm'), { recursive: true, force: true });
    mkdirSync(this.path('tpm'));
    const cleared = { ...description, clear_tpm: false };
    this.describe(cleared);
    return cleared;
  }

  private startTpm(): void {
    this.tpm = this.spawn('swtpm', [
      ...['swtpm', 'socket', '--tpm2', '--tpmstate', 'dir=/vm/tpm'],
      ...['--ctrl', 'type=unixio,path=/vm/tpm.sock', '--terminate'],
    ]);
  }

  /** Cables are in when QEMU starts. */
  private async pullCables({ nics }: Description): Promise<void> {
    try {
      const qmp = await this.control('ctl.qmp');
      for (const nic of nics.filter(({ link }) => link === 'down')) await setLink(qmp, nic);
      qmp.close();
    } catch {
      // QEMU ended, which whoever waits for it is told.
    }
  }

  private spawn(name: string, argv: readonly string[]): ChildProcess {
    const { tools, directory, base, cables } = this.options;
    const mounts = {
      '/vm': directory,
      ...(base === undefined ? {} : { '/base': base }),
      ...(cables === undefined ? {} : { [cableDirectory]: cables }),
    };
    const inside = insideArgv(tools, mounts, argv, '/vm');
    const log = openSync(this.path(`${name}.log`), 'w');
    // A process group of its own, so that Ctrl-C reaches the guest as a power button and not QEMU as a signal.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...inside], {
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
    child.on('error', (error) => appendFileSync(this.path(`${name}.log`), `${error.message}\n`));
    return child;
  }

  /**
   * Over a raw disk there may be a QCOW2: what the guest zeroes takes no room in it, and a first boot zeroes the whole
   * root partition.
   */
  private diskFile(): string[] {
    const format = existsSync(this.path('disk.qcow2')) ? 'qcow2' : 'raw';
    return [`format=${format}`, `file=/vm/disk.${format}`];
  }

  private qemuArgv(description: Description): string[] {
    const { accelerator } = this.options;
    const { memory, credentials, secure_boot: secureBoot, tpm } = description;
    const drive = (values: readonly string[]): string[] => ['-drive', values.join(',')];
    // Firmware that can keep Secure Boot's variables from the guest needs the processor's management mode.
    const code = secureBoot ? 'OVMF_CODE_4M.secboot.fd' : 'OVMF_CODE_4M.fd';
    const root = ['cache=unsafe', 'discard=unmap', 'detect-zeroes=unmap'];
    return [
      ...['qemu-system-x86_64', '-nodefaults', '-name', 'incusos'],
      ...['-machine', secureBoot ? 'q35,smm=on' : 'q35', '-smp', '2', '-m', String(memory)],
      ...(accelerator === 'kvm'
        ? ['-accel', 'kvm', '-cpu', 'host']
        : ['-accel', 'tcg,thread=multi', '-cpu', 'max']),
      ...(secureBoot ? ['-global', 'driver=cfi.pflash01,property=secure,value=on'] : []),
      ...drive(['if=pflash', 'format=raw', 'unit=0', 'readonly=on', `file=${firmware}/${code}`]),
      ...drive(['if=pflash', 'format=raw', 'unit=1', 'file=/vm/vars.fd']),
      ...busArgv(),
      ...drive(['if=none', 'id=root', ...this.diskFile(), ...root]),
      // Before all others, so that it stays the first one on its bus.
      ...['-device', 'scsi-hd,bus=scsi0.0,drive=root,device_id=incus_root,bootindex=1'],
      ...pluggedArgv(description),
      ...(tpm
        ? ['-chardev', 'socket,id=tpm,path=/vm/tpm.sock', '-tpmdev', 'emulator,id=tpm0,chardev=tpm']
        : []),
      ...(tpm ? ['-device', 'tpm-crb,tpmdev=tpm0'] : []),
      ...['-device', 'virtio-rng-pci'],
      ...credentialArgv(credentials),
      ...['-display', 'none', '-vga', 'std'],
      ...['qmp.sock', 'ctl.qmp'].flatMap((socket) => ['-qmp', `unix:/vm/${socket},server=on,wait=off`]),
      ...['-serial', 'file:/vm/serial.log', '-serial', 'file:/vm/report.log'],
    ];
  }
}
