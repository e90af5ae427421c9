/**
 * Machines that were made once for an image and serve all scenarios: one that is off after its first boot, and one that
 * runs, with its memory. They are kept outside the checkout, by the content of the image and the way they are made.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { cacheDirectory, cached, keyOf } from '../../../image/tools/cache.ts';
import { step } from '../../../image/tools/programs.ts';
import { say, UserError } from '../../../image/tools/sentence.ts';
import { taskRules } from './guest-task.ts';
import { type Host, TestMachine } from './test-machine.ts';

const top = join(import.meta.dirname, '../../..');

/** The disk image under test. */
export interface Image {
  readonly path: string;
  readonly version: string;
  /** The signed kernel, which names the root hash of `/usr`. */
  readonly kernel: string;
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
  private readonly hardware: string;

  constructor(host: Host, image: Image) {
    this.host = host;
    this.image = image;
    const made = createHash('sha256').update(readFileSync(image.kernel)).digest('hex');
    this.key = keyOf(made);
    this.hardware = keyOf(host.accelerator, taskRules, readFileSync(join(top, 'e2e/vm/machine.ts'), 'utf8'));
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

  /** A machine that runs, with its memory. */
  async running(): Promise<string> {
    const off = await this.off();
    return this.kept(`running-${this.hardware}`, async (target, work) => {
      say('booting the base machine …');
      const machine = await TestMachine.copy(this.host, off, work);
      await ended(machine, async () => {
        await machine.boot();
        await machine.keepWithMemory(target);
      });
    });
  }

  /** The directory of a release that is a minute newer than the image, with its parts for an update. */
  newer(): Promise<{ readonly directory: string; readonly version: string }> {
    const version = minuteAfter(this.image.version);
    return this.cached('newer', async (target) => {
      say(`building the release ${version} …`);
      const build = join(top, 'image/tools/main.ts');
      const options = ['--version', version, '--output', target, '--keys', this.host.keys];
      await step([process.execPath, build, ...options], { log: `${target}.log`, directory: top });
      rmSync(join(target, `IncusOS_${version}.raw`));
    }).then((directory) => ({ directory, version }));
  }

  private kept(name: string, make: (target: string, work: string) => Promise<void>): Promise<string> {
    return this.cached(name, async (target) => {
      mkdirSync(target, { recursive: true });
      const work = `${target}.work`;
      rmSync(work, { recursive: true, force: true });
      await make(target, work);
      rmSync(work, { recursive: true, force: true });
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
