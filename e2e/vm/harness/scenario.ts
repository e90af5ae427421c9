/** What a scenario is, and what it gets to work with. */
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Cable } from '../neighbour/cable.ts';
import { keptNeighbour } from '../neighbour/kept-neighbour.ts';
import { Neighbour } from '../neighbour/neighbour.ts';
import type { Hardware } from './hardware.ts';
import { type Image, type KeptMachines } from './kept-machines.ts';
import { bringBundles } from './own-bundles.ts';
import { type Host, TestMachine } from './test-machine.ts';

/** What is made once for an image and serves many scenarios; {@link KeptMachines} makes it. */
export type Need = 'off' | 'running' | 'newer' | 'neighbour';

export interface Count {
  readonly passed: number;
  readonly failed: number;
}

export interface Scenario {
  /** Such as `smoke/first-boot`; the part before the slash is its group. */
  readonly name: string;
  /** A sentence about what is true when it passes. */
  readonly sentence: string;
  /** Made before, outside the scenario's time. */
  readonly needs: readonly Need[];
  /** Whether it is part of its group's quick part, `GROUP/quick`. */
  readonly quick?: boolean;
  /** After which it is ended; 20 unless given. */
  readonly minutes?: number;
  readonly run: (lab: Lab) => Promise<void>;
}

/** A machine that runs, and the neighbour at the other end of its cables. */
export interface Pair {
  readonly machine: TestMachine;
  readonly neighbour: Neighbour;
  /** The first one's card is `enp6s0`, and its port `port1`. */
  readonly cables: readonly [Cable, ...Cable[]];
}

/** The first card of a machine that every machine doesn't have, by the number of its bus. */
const firstCable = 6;
const logFile = 'log.txt';

/** Gives a scenario its machines, and ends them after it. */
export class Lab {
  readonly host: Host;
  readonly image: Image;
  readonly kept: KeptMachines;
  readonly machines: TestMachine[] = [];
  readonly directory: string;
  /** Set by a scenario that runs many tests; any other counts as one. */
  tests: Count | undefined;
  private restoring: Promise<Neighbour> | undefined;

  constructor(host: Host, image: Image, kept: KeptMachines, directory: string) {
    this.host = { ...host, cables: join(directory, 'cables') };
    this.image = image;
    this.kept = kept;
    this.directory = directory;
    mkdirSync(join(directory, 'cables'), { recursive: true });
  }

  /** A machine that was never switched on. */
  async fresh(hardware?: Hardware): Promise<TestMachine> {
    return this.add(await TestMachine.make(this.host, this.next(), this.image.path, hardware));
  }

  /** A machine that is off after its first boot. */
  async installed(hardware?: Hardware): Promise<TestMachine> {
    return this.add(await TestMachine.copy(this.host, await this.kept.off(), this.next(), hardware));
  }

  /** A machine that runs, restored with its memory. */
  async running(): Promise<TestMachine> {
    const machine = this.add(await TestMachine.copy(this.host, await this.kept.running(), this.next()));
    await machine.resume();
    await bringBundles(machine);
    return machine;
  }

  /** The neighbour, restored with its memory; a lab has one. */
  neighbour(): Promise<Neighbour> {
    this.restoring ??= this.restoreNeighbour();
    return this.restoring;
  }

  /** A machine that runs, and cables from new cards of it to the neighbour; see `neighbour.ts` for an example. */
  async pair({ cables: count = 1 }: { cables?: number } = {}): Promise<Pair> {
    const neighbour = await this.neighbour();
    const machine = await this.running();
    const cable = (index: number): Promise<Cable> => neighbour.connect(machine, `enp${firstCable + index}s0`);
    const cables: [Cable, ...Cable[]] = [await cable(0)];
    for (let index = 1; index < count; index += 1) cables.push(await cable(index));
    return { machine, neighbour, cables };
  }

  /** Keeps what was seen for the scenario's log, which is an artefact also when it passes. */
  note(title: string, text: string): void {
    appendFileSync(this.log, `==== ${title}\n${text.trimEnd()}\n\n`);
  }

  /** The file with all notes, if there are any. */
  get log(): string {
    return join(this.directory, logFile);
  }

  /** Ends every machine. */
  async close(): Promise<void> {
    for (const machine of this.machines) await machine.cutPower();
    const neighbour = await this.restoring?.catch(() => undefined);
    await neighbour?.end();
  }

  private async restoreNeighbour(): Promise<Neighbour> {
    const { root, memory } = await keptNeighbour(this.host);
    const directory = join(this.directory, 'neighbour');
    return Neighbour.restore(this.host, { root, directory, cables: join(this.directory, 'cables') }, memory);
  }

  private next(): string {
    return join(this.directory, String(this.machines.length + 1));
  }

  private add(machine: TestMachine): TestMachine {
    this.machines.push(machine);
    return machine;
  }
}
