/**
 * One virtual machine: a directory with its disk, firmware variables and TPM, and QEMU around them.
 *
 * Invariants: what listens, listens on this computer only; QEMU and the TPM end with this process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, openSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { output } from '../../image/tools/programs.ts';
import { insideArgv } from '../../image/tools/roots.ts';
import { UserError } from '../../image/tools/sentence.ts';
import { Qmp } from './qmp.ts';

/** The smallest disk that the system takes. */
const diskBytes = 50 * 1024 ** 3;
const firmware = '/usr/share/OVMF';
const powerOffMs = 90_000;

export type Accelerator = 'kvm' | 'tcg';

export interface MachineOptions {
  readonly tools: string;
  readonly directory: string;
  /** The port of this computer behind which the API is. */
  readonly port: number;
  readonly accelerator: Accelerator;
  /** MiB. */
  readonly memory: number;
  /** Files that the machine gets as systemd credentials, by name. */
  readonly credentials: Readonly<Record<string, string>>;
}

export class Machine {
  private qemu: ChildProcess | undefined;
  private tpm: ChildProcess | undefined;
  private readonly options: MachineOptions;

  constructor(options: MachineOptions) {
    this.options = options;
    // sun_path of unix(7).
    if (Buffer.byteLength(this.path('guest.sock')) > 107)
      throw new UserError(`${options.directory} is too long for the sockets in it; choose a shorter --dir.`);
  }

  /** Whether the directory holds a machine already. */
  get exists(): boolean {
    return existsSync(this.path('disk.raw'));
  }

  /** Whether QEMU runs. */
  isRunning(): boolean {
    return this.qemu !== undefined && this.qemu.exitCode === null && this.qemu.signalCode === null;
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
   * Switches the machine on.
   * @param more arguments of QEMU beside those that every machine has.
   */
  start(more: readonly string[] = []): void {
    for (const name of ['qmp.sock', 'tpm.sock']) rmSync(this.path(name), { force: true });
    this.tpm = this.spawn('swtpm', [
      'swtpm',
      'socket',
      '--tpm2',
      '--tpmstate',
      'dir=/vm/tpm',
      '--ctrl',
      'type=unixio,path=/vm/tpm.sock',
      '--terminate',
    ]);
    // QEMU connects to the TPM once, at its start.
    const wait = 'until [ -S /vm/tpm.sock ]; do sleep 0.05; done; exec "$@"';
    this.qemu = this.spawn('qemu', ['sh', '-c', wait, 'sh', ...this.qemuArgv(), ...more]);
  }

  /** The control channel, as soon as QEMU has it. @throws UserError when QEMU ended instead. */
  async control(): Promise<Qmp> {
    for (;;) {
      try {
        return await Qmp.connect(this.path('qmp.sock'));
      } catch {
        if (!this.isRunning()) throw new UserError(`QEMU ended; ${this.path('qemu.log')} says why.`);
        await sleep(100);
      }
    }
  }

  /** Presses the power button and waits; pulls the plug of a machine that doesn't react. */
  async powerOff(): Promise<void> {
    if (this.isRunning()) {
      const qmp = await this.control();
      await qmp.ask('system_powerdown').catch(() => undefined);
      const end = Date.now() + powerOffMs;
      while (this.isRunning() && Date.now() < end) await sleep(200);
      qmp.close();
    }
    this.kill();
  }

  /** Pulls the plug. */
  kill(): void {
    for (const child of [this.qemu, this.tpm]) {
      if (child?.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    }
  }

  private spawn(name: string, argv: readonly string[]): ChildProcess {
    const { tools, directory } = this.options;
    const [program, ...args] = insideArgv(tools, { '/vm': directory }, argv, '/vm');
    const log = openSync(this.path(`${name}.log`), 'w');
    // A process group of its own, so that Ctrl-C reaches the guest as a power button and not QEMU as a signal.
    const child = spawn(program, args, { stdio: ['ignore', log, log], detached: true });
    process.on('exit', () => child.kill('SIGKILL'));
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

  private qemuArgv(): string[] {
    const { accelerator, credentials, memory, port } = this.options;
    const drive = (values: readonly string[]): string[] => ['-drive', values.join(',')];
    return [
      'qemu-system-x86_64',
      ...['-name', 'incusos', '-machine', 'q35,smm=on', '-smp', '2', '-m', String(memory)],
      ...(accelerator === 'kvm'
        ? ['-accel', 'kvm', '-cpu', 'host']
        : ['-accel', 'tcg,thread=multi', '-cpu', 'max']),
      ...['-global', 'driver=cfi.pflash01,property=secure,value=on'],
      ...drive([
        'if=pflash',
        'format=raw',
        'unit=0',
        'readonly=on',
        `file=${firmware}/OVMF_CODE_4M.secboot.fd`,
      ]),
      ...drive(['if=pflash', 'format=raw', 'unit=1', 'file=/vm/vars.fd']),
      ...['-device', 'virtio-scsi-pci,id=scsi0'],
      ...drive([
        'if=none',
        'id=root',
        ...this.diskFile(),
        'cache=unsafe',
        'discard=unmap',
        'detect-zeroes=unmap',
      ]),
      ...['-device', 'scsi-hd,bus=scsi0.0,drive=root,device_id=incus_root,bootindex=1'],
      ...['-chardev', 'socket,id=tpm,path=/vm/tpm.sock', '-tpmdev', 'emulator,id=tpm0,chardev=tpm'],
      ...['-device', 'tpm-crb,tpmdev=tpm0'],
      ...[
        '-netdev',
        `user,id=net0,hostfwd=tcp:127.0.0.1:${port}-:8443`,
        '-device',
        'virtio-net-pci,netdev=net0',
      ],
      ...['-device', 'virtio-rng-pci'],
      ...Object.entries(credentials).flatMap(([name, file]) => [
        '-fw_cfg',
        `name=opt/io.systemd.credentials/${name},file=/vm/${file}`,
      ]),
      ...['-display', 'none', '-vga', 'std', '-qmp', 'unix:/vm/qmp.sock,server=on,wait=off'],
      ...['-serial', 'file:/vm/serial.log', '-serial', 'file:/vm/report.log'],
    ];
  }
}
