/**
 * Runs a machine in the foreground until Ctrl-C: shows its boots, waits for its API, and goes on when it is switched off and
 * on from outside.
 */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../../image/tools/sentence.ts';
import { type ApiAnswer, ask, writeClientConfiguration } from '../client.ts';
import { SerialReader } from '../control/serial-reader.ts';
import { guestArgv, guestCredentials } from '../harness/guest.ts';
import { plainConsole } from '../harness/serial-log.ts';
import { credentialArgv, type Machine } from '../machine.ts';
import { BootStages } from './boot-stages.ts';
import { Interrupted } from './interrupted.ts';
import type { RunOptions } from './options.ts';
import { prepare, type Prepared } from './prepare.ts';
import { Progress } from './progress.ts';
import { shown, welcome } from './welcome.ts';

const tickMs = 250;
const shownLines = 25;

export async function runInForeground(options: RunOptions): Promise<void> {
  const progress = new Progress(process.stderr);
  const stopping = new AbortController();
  const made: { machine?: Machine } = {};
  const stop = (): void => {
    if (stopping.signal.aborted) made.machine?.cut();
    stopping.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  let prepared: Prepared;
  try {
    prepared = await prepare(options, progress);
  } catch (error) {
    if (stopping.signal.aborted) throw new Interrupted('stopped before there was a machine.');
    throw error;
  }
  const { machine } = prepared;
  made.machine = machine;
  try {
    if (stopping.signal.aborted) throw new Interrupted('stopped before the machine was on.');
    await new Foreground(options, prepared, progress, stopping.signal).run();
  } finally {
    progress.rest();
    machine.kill();
    while (machine.isRunning()) await sleep(20);
    prepared.dispose();
  }
}

class Foreground {
  private readonly options: RunOptions;
  private readonly machine: Machine;
  private readonly prepared: Prepared;
  private readonly progress: Progress;
  private readonly stopping: AbortSignal;
  private readonly reader: SerialReader;
  private stages = new BootStages();
  /** Which switching-on of the machine is watched. */
  private boot = 0;
  private on = false;
  private ready = false;
  private asking = false;
  /** An answer of the API that isn't the one that is waited for. */
  private refused = '';

  constructor(options: RunOptions, prepared: Prepared, progress: Progress, stopping: AbortSignal) {
    this.options = options;
    this.prepared = prepared;
    this.machine = prepared.machine;
    this.progress = progress;
    this.stopping = stopping;
    this.reader = new SerialReader(this.machine.path('serial.log'));
  }

  async run(): Promise<void> {
    this.machine.start([...guestArgv, ...credentialArgv(guestCredentials(this.machine.directory))]);
    (await this.machine.control()).close();
    while (!this.stopping.aborted) {
      this.look();
      await sleep(tickMs);
    }
    await this.end();
  }

  /** Looks once at the machine, and tells what is new. */
  private look(): void {
    if (this.machine.boots !== this.boot) this.switchedOn();
    for (const line of this.reader.next().split('\n')) this.take(line);
    if (!this.machine.isRunning()) {
      if (this.on) this.switchedOff();
      return;
    }
    if (this.ready) return;
    if (this.progress.seconds > this.options.timeout * 60) this.giveUp();
    if (!this.asking) void this.askApi();
  }

  private switchedOn(): void {
    this.boot = this.machine.boots;
    this.on = true;
    this.progress.restart();
    this.progress.say(
      `switched on (${this.machine.accelerator}); npm run vm -- ctl ${this.dirOption}serial shows its console`,
    );
    this.begin();
  }

  private begin(): void {
    this.stages = new BootStages();
    this.ready = false;
    this.refused = '';
    this.progress.wait('the firmware');
  }

  private take(line: string): void {
    if (this.stages.isRestart(line)) {
      this.progress.restart();
      this.progress.say('the machine restarts');
      this.begin();
    }
    const event = this.stages.take(line);
    if (event === undefined) return;
    switch (event.kind) {
      case 'stage':
        this.progress.say(event.text);
        if (!this.ready) this.progress.wait(event.text);
        return;
      case 'service':
        this.progress.say(`  ${event.text} is ready`);
        return;
      case 'problem':
        this.progress.say(`! ${event.text}`);
    }
  }

  private switchedOff(): void {
    this.on = false;
    this.ready = false;
    const { ended, wasCut } = this.machine;
    if (ended !== 0 && !wasCut)
      throw new UserError(`QEMU ended (${String(ended)}):\n${this.machine.qemuLog()}`);
    this.progress.rest();
    const what = wasCut ? 'the machine lost its power' : 'the machine is off';
    this.progress.say(`${what}; npm run vm -- ctl ${this.dirOption}power on switches it on`);
  }

  private async askApi(): Promise<void> {
    this.asking = true;
    const { boot } = this;
    const { port } = this.machine.description;
    const answer = await ask(port, '/os/1.0', this.prepared.client).catch(() => undefined);
    await sleep(tickMs);
    this.asking = false;
    if (answer === undefined || boot !== this.boot || this.ready || this.stopping.aborted) return;
    // A seed that names others than our client has the machine refuse it, which is an answer too.
    if (answer.status === 200 || (this.prepared.foreign && answer.status === 403)) this.isReady(answer, port);
    else this.refused = `, but an answer: ${answer.body.trim()}`;
  }

  private isReady(answer: ApiAnswer, port: number): void {
    this.ready = true;
    this.progress.rest();
    this.progress.say('the API answers');
    const client = this.machine.path('incus');
    writeClientConfiguration(client, port, answer.server);
    const { seconds } = this.progress;
    process.stdout.write(welcome({ client, port, seconds, dirOption: this.dirOption }));
  }

  /** @throws UserError always. */
  private giveUp(): never {
    throw new UserError(
      `${this.consoleEnd()}\nno API after ${this.options.timeout} min${this.refused}; above is the end of the console.`,
    );
  }

  private async end(): Promise<void> {
    if (this.machine.isRunning() && this.stages.kernelRuns) {
      this.progress.say('powering off (Ctrl-C again cuts the power) …');
      this.progress.wait('powering off');
      if (!(await this.machine.shutDown())) this.progress.say('it does not react; its power is cut');
    }
    this.machine.kill();
    this.progress.rest();
    this.progress.say('off');
  }

  private consoleEnd(): string {
    const path = this.machine.path('serial.log');
    if (!existsSync(path)) return '';
    const lines = plainConsole(readFileSync(path, 'utf8')).trimEnd().split('\n').slice(-shownLines);
    return lines.map((line) => `  ${line}`).join('\n');
  }

  private get dirOption(): string {
    const standard = this.options.typedDirectory === undefined;
    return standard ? '' : `--dir ${shown(this.options.directory)} `;
  }
}
