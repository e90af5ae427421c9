/**
 * Machines that were made once for an image and serve all scenarios: one that is off after its first boot, and one that
 * runs, with its memory. They are kept outside the checkout, by the content of the image and the way they are made.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { cacheDirectory, cached, keyOf } from '../../../image/tools/cache.ts';
import { step } from '../../../image/tools/programs.ts';
import { withScratch } from '../../../image/tools/roots.ts';
import { say, UserError } from '../../../image/tools/sentence.ts';
import { seedOf } from '../client.ts';
import { consoleCommandLine } from '../console-addon.ts';
import { defaultDescription } from '../hardware/description.ts';
import { busArgv, pluggedArgv } from '../hardware/devices.ts';
import { keptNeighbour } from '../neighbour/kept-neighbour.ts';
import { makeFileDrive } from './file-drive.ts';
import { guestDefinition } from './guest.ts';
import type { Need } from './scenario.ts';
import { type Host, TestMachine } from './test-machine.ts';

const top = join(import.meta.dirname, '../../..');

/** The disk image under test. */
export interface Image {
  readonly path: string;
  readonly version: string;
  /** The signed kernel, which names the root hash of `/usr`. */
  readonly kernel: string;
}

/** A release for an update. */
export interface Release {
  readonly version: string;
  /** The image of a drive with its parts. */
  readonly drive: string;
}

export function imageAt(path: string): Image {
  const version = /^IncusOS_(?<version>\d{12})\.raw$/u.exec(basename(path))?.groups?.['version'];
  if (version === undefined) throw new UserError(`${path} is not named IncusOS_VERSION.raw.`);
  return { path, version, kernel: join(dirname(path), `IncusOS_${version}.efi`) };
}

export class KeptMachines {
  private readonly host: Host;
  private readonly image: Image;
  private readonly key: string;
  /** A memory fits only the hardware that it was in. */
  private readonly runningName: string;
  private readonly failures = new Map<Need, Error>();

  constructor(host: Host, image: Image) {
    this.host = host;
    this.image = image;
    const made = createHash('sha256').update(readFileSync(image.kernel)).digest('hex');
    const seed = JSON.stringify(seedOf({ certificate: '', key: '' }));
    // The system remembers its cards by their addresses.
    const hardware = [...busArgv(), ...pluggedArgv(defaultDescription)];
    this.key = keyOf(made, consoleCommandLine, seed, ...hardware);
    const machine = readFileSync(join(top, 'e2e/vm/machine.ts'), 'utf8');
    this.runningName = `running-${keyOf(host.accelerator, guestDefinition, machine)}`;
  }

  /** Makes what is needed unless it is there. @throws Error, again and without another try, when it could not be made. */
  async prepare(need: Need): Promise<void> {
    const earlier = this.failures.get(need);
    if (earlier !== undefined) throw earlier;
    try {
      await this[need]();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const failure = new Error(`what it needs (${need}) could not be made: ${message}`, { cause: error });
      this.failures.set(need, failure);
      throw failure;
    }
  }

  /** A machine that went through its first boot and is off. */
  off(): Promise<string> {
    return this.kept('off', async (target, work) => {
      say('booting the base machine for the first time …');
      const machine = await TestMachine.make(this.host, work, this.image.path);
      await ended(machine, async () => {
        await machine.boot();
        await machine.powerOff();
        machine.keep(target);
      });
    });
  }

  /** Takes a machine that is {@link off} already, unless there is one. */
  async takeOff(machine: TestMachine): Promise<void> {
    await this.kept('off', (target) => machine.keep(target));
  }

  /** A machine that runs, with its memory. */
  async running(): Promise<string> {
    const off = await this.off();
    return this.kept(this.runningName, async (target, work) => {
      say('booting the base machine …');
      const machine = await TestMachine.copy(this.host, off, work);
      await ended(machine, async () => {
        await machine.boot();
        await machine.keepWithMemory(target);
      });
    });
  }

  /** Takes a machine that is {@link running} already, unless there is one; afterwards it is off. */
  async takeRunning(machine: TestMachine): Promise<void> {
    await this.kept(this.runningName, (target) => machine.keepWithMemory(target));
  }

  /** What a neighbour is restored from. */
  async neighbour(): Promise<void> {
    await keptNeighbour(this.host);
  }

  /** A release that is a minute newer than the image. */
  async newer(): Promise<Release> {
    const version = minuteAfter(this.image.version);
    const directory = await this.cached('newer', async (target) => {
      say(`building the release ${version} …`);
      const parts = join(target, 'parts');
      const options = ['--version', version, '--output', parts, '--keys', this.host.keys];
      await step([join(top, 'bin/image'), ...options], { log: `${target}.log`, directory: top });
      rmSync(join(parts, `IncusOS_${version}.raw`));
      await makeFileDrive(this.host.tools, parts, join(target, 'drive.img'));
    });
    return { version, drive: join(directory, 'drive.img') };
  }

  private kept(name: string, make: (target: string, work: string) => Promise<void> | void): Promise<string> {
    return this.cached(name, async (target) => {
      mkdirSync(target, { recursive: true });
      // Short, since there are sockets in it.
      await withScratch(async (work) => make(target, work));
    });
  }

  private cached(name: string, make: (target: string) => Promise<void>): Promise<string> {
    return cached(join('machines', `${this.key}-${name}`), make);
  }

  /** Removes what was kept for other images. */
  forgetOthers(): void {
    const directory = join(cacheDirectory(), 'machines');
    mkdirSync(directory, { recursive: true });
    for (const name of readdirSync(directory))
      if (!name.startsWith(this.key)) rmSync(join(directory, name), { recursive: true });
  }
}

async function ended(machine: TestMachine, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${message}; the machine's logs are in ${machine.directory}`, { cause: error });
  } finally {
    if (machine.isRunning()) await machine.cutPower();
  }
}

/** The version that names the minute after another's. */
export function minuteAfter(version: string): string {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)$/u.exec(version)?.slice(1).map(Number);
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0] = parts ?? [];
  const next = new Date(Date.UTC(year, month - 1, day, hour, minute + 1));
  return next.toISOString().replaceAll(/\D/gu, '').slice(0, 12);
}
