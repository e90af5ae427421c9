/** Takes an emulated machine through the course of a recording, and tells what it answers differently. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Host, ProgramError, type ProgramStream } from '@incusos/host';
import { openEmulatedHost } from '../emulated-host.ts';
import { EmulatedMachine } from '../machine/emulated-machine.ts';
import { switchOn } from '../power-switch.ts';
import { areas } from '../areas.ts';
import { defaultNic } from '../network/section.ts';
import { addDrive } from '../storage/commands.ts';
import type { RecordedDrive, RecordedRun, RecordedStep, Recording } from './recording.ts';
import { compareOutput, type Form } from './shape.ts';

/** What an emulated program answers otherwise than the real one. */
export interface Difference {
  /** The command line, or the path of a file. */
  readonly about: string;
  readonly text: string;
}

export interface ReplayOptions {
  readonly directory: string;
  /** Puts the clock forward, by seconds. */
  readonly pass: (seconds: number) => void;
  readonly formOf: (about: string) => Form;
}

/** Watching programs hear of a change a moment after it. */
const noticeMs = 60;

export async function replay(recording: Recording, options: ReplayOptions): Promise<Difference[]> {
  const machine = new EmulatedMachine(options.directory);
  machine.create();
  await machine.change(({ storage, network }) => {
    for (const drive of recording.drives) plugIn(storage, drive);
    // QEMU's own network.
    network.lan = {
      ...network.lan,
      ipv4: {
        ...{ network: '10.0.2.0/24', gateway: '10.0.2.2', dns: ['10.0.2.3'], ntp: [], domain: '' },
        ...{ lease_time: 86_400, pool_start: 15 },
      },
      ipv6: { prefix: 'fec0::/64', router: 'fe80::2', dns: [], dhcp: false },
    };
    network.nics = recording.cards.map(({ name, mac }, index) => ({ ...defaultNic(name, index + 1), mac }));
  });
  await switchOn(machine);
  await makeLocalPool(openEmulatedHost(machine));
  const course = new Course(machine, recording, options);
  for (const step of recording.steps) await course.take(step);
  course.end();
  return course.differences;
}

function plugIn(
  storage: Parameters<typeof addDrive>[0],
  { serial, bus, size, name, wwn }: RecordedDrive,
): void {
  const drive = addDrive(storage, serial, bus, size);
  drive.name = name;
  if (wwn !== undefined) Object.assign(drive, { wwn, id: `scsi-3${wwn.slice('0x'.length)}` });
}

/** Every machine has it from its first start on. */
async function makeLocalPool({ files, programs }: Host): Promise<void> {
  const key = '/var/lib/incus-os/storage/zpool.local.key';
  await files.writeAtomic(key, randomBytes(32));
  const encryption = ['encryption=aes-256-gcm', 'keyformat=raw', `keylocation=file://${key}`];
  const properties = ['mountpoint=none', ...encryption].flatMap((property) => ['-O', property]);
  await programs.run(['zpool', 'create', ...properties, 'local', '/dev/disk/by-partlabel/local-data']);
}

class Course {
  readonly differences: Difference[] = [];
  private readonly host: Host;
  private readonly watching = new Map<string, { stream: ProgramStream; text: string }>();

  constructor(
    private readonly machine: EmulatedMachine,
    private readonly recording: Recording,
    private readonly options: ReplayOptions,
  ) {
    this.host = openEmulatedHost(machine);
  }

  async take(step: RecordedStep): Promise<void> {
    if ('run' in step) await this.run(step);
    else if ('start' in step) this.start(step.start);
    else if ('stop' in step) await this.stop(step.stop, step.stdout.join('\n'));
    else if ('read' in step) await this.read(step);
    else if ('write' in step)
      await this.host.files.writeAtomic(
        step.write,
        Buffer.from(step.text, step.base64 === true ? 'base64' : 'utf8'),
      );
    else if ('pass' in step) {
      this.options.pass(step.pass);
      // Whoever watches looks at the clock again.
      await this.machine.change(() => undefined);
      await sleep(noticeMs);
    } else if ('plug' in step) await this.command('drive add', step.plug);
    else if ('unplug' in step) await this.command('drive remove', step.unplug);
  }

  end(): void {
    for (const { stream } of this.watching.values()) stream.stop();
  }

  private async run({ run, stdin, exit_code, stdout, stderr }: RecordedRun): Promise<void> {
    const about = run.join(' ');
    const form = this.options.formOf(about);
    try {
      const result = await this.host.programs.run(run, {
        acceptExitCodes: 'any',
        ...(stdin === undefined ? {} : { stdin }),
      });
      if (result.exitCode !== exit_code)
        this.differs(about, `exit code ${exit_code}, not ${result.exitCode}`);
      this.differAll(about, 'stdout', compareOutput(stdout.join('\n'), result.stdout, form));
      this.differAll(about, 'stderr', compareOutput(stderr.join('\n'), result.stderr, 'lines'));
    } catch (error) {
      if (!(error instanceof ProgramError)) throw error;
      this.differs(about, error.message);
    }
  }

  private start(argv: readonly [string, ...string[]]): void {
    const watched = { stream: this.host.programs.stream(argv), text: '' };
    watched.stream.stdout.setEncoding('utf8').on('data', (text: string) => {
      watched.text += text;
    });
    this.watching.set(argv.join(' '), watched);
  }

  private async stop(argv: readonly string[], real: string): Promise<void> {
    const about = argv.join(' ');
    const watched = this.watching.get(about);
    if (watched === undefined) throw new Error(`${about} was not started`);
    await sleep(noticeMs);
    watched.stream.stop();
    this.watching.delete(about);
    await watched.stream.finished.catch(() => undefined);
    this.differAll(about, 'stdout', compareOutput(real, watched.text, this.options.formOf(about)));
  }

  private async read(step: Extract<RecordedStep, { readonly read: string }>): Promise<void> {
    const { read: path } = step;
    const exists = await this.host.files.exists(path);
    if ('error' in step) {
      if (exists) this.differs(path, `${step.error}, but there`);
    } else if (!exists) this.differs(path, 'only real');
    else if ('lines' in step) {
      const text = await this.host.files.readText(path);
      this.differAll(path, 'text', compareOutput(step.lines.join('\n'), text, this.options.formOf(path)));
    }
  }

  private async command(name: string, serial: string): Promise<void> {
    const command = areas.flatMap(({ commands }) => commands).find((each) => each.name === name);
    await command?.run(this.machine, [serial], {});
    const named = this.recording.drives.find((drive) => drive.serial === serial);
    await sleep(noticeMs);
    if (named === undefined) throw new Error(`the recording has no drive ${serial}`);
  }

  private differAll(about: string, what: string, differences: Iterable<string>): void {
    for (const difference of differences) this.differs(about, `${what} ${difference}`);
  }

  private differs(about: string, text: string): void {
    this.differences.push({ about, text });
  }
}
