/** What a scenario is, and what it gets to work with. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Image, type KeptMachines } from './kept-machines.ts';
import type { Hardware } from './hardware.ts';
import { type Host, TestMachine } from './test-machine.ts';

/** What is made once for an image and serves many scenarios; {@link KeptMachines} makes it. */
export type Need = 'off' | 'running' | 'newer';

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
  /** After which it is ended; 20 unless given. */
  readonly minutes?: number;
  readonly run: (lab: Lab) => Promise<void>;
}

/** Gives a scenario its machines, and ends them after it. */
export class Lab {
  readonly host: Host;
  readonly image: Image;
  readonly kept: KeptMachines;
  readonly machines: TestMachine[] = [];
  readonly directory: string;
  /** Set by a scenario that runs many tests; any other counts as one. */
  tests: Count | undefined;

  constructor(host: Host, image: Image, kept: KeptMachines, directory: string) {
    this.host = host;
    this.image = image;
    this.kept = kept;
    this.directory = directory;
    mkdirSync(directory, { recursive: true });
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
    return machine;
  }

  /** Ends every machine. */
  async close(): Promise<void> {
    for (const machine of this.machines) await machine.cutPower();
  }

  private next(): string {
    return join(this.directory, String(this.machines.length + 1));
  }

  private add(machine: TestMachine): TestMachine {
    this.machines.push(machine);
    return machine;
  }
}
