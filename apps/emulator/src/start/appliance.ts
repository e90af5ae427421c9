/**
 * Runs the appliance on its emulated machine until it is told to stop.
 *
 * Invariants: the processes run exactly while the machine is on; what the machine asks of its power supply (reboot,
 * power-off, suspend) is carried out in order; nothing is left running when this ends.
 */
import {
  appendJournal,
  describedMachine,
  EmulatedMachine,
  type Machine,
  switchOff,
  switchOn,
} from '@incusos/host-emulated';
import { LocalFiles } from '@incusos/host';
import { basename, dirname, resolve } from 'node:path';
import type { Layout } from '../directory.ts';
import { ensureClientCertificate, trustClient, writeClientConfiguration } from './client-configuration.ts';
import { claim } from './instance.ts';
import { readableLine } from './log.ts';
import { LocalProxy } from './local-proxy.ts';
import { appliancePlans, proxyPlan } from './plans.ts';
import { ensurePortFree, freePort } from './port.ts';
import { Processes } from './processes.ts';
import { waitUntilReady } from './readiness.ts';
import { packSeed, plantSeed } from './seed.ts';
import { welcome } from './welcome.ts';

export interface ApplianceOptions {
  readonly layout: Layout;
  readonly port: number;
  readonly machineFile: string | undefined;
  readonly seed: string | undefined;
}

export async function runAppliance(options: ApplianceOptions): Promise<void> {
  const appliance = new Appliance(options);
  await appliance.run();
}

class Appliance {
  private readonly machine: EmulatedMachine;
  private readonly files: LocalFiles;
  private readonly processes: Processes;
  private readonly stopping = new AbortController();
  private bootAbort = new AbortController();
  private journal: Promise<unknown> = Promise.resolve();
  private turn: Promise<void> = Promise.resolve();
  private suspended = false;
  /** While the machine is on. */
  private proxy: LocalProxy | undefined;

  constructor(private readonly options: ApplianceOptions) {
    this.machine = new EmulatedMachine(options.layout.directory);
    this.files = new LocalFiles(options.layout.directory);
    this.processes = new Processes({
      line: (name, pid, line) => this.log(name, line, pid),
      restarted: (name, why) => this.say(`${name} ${why} and is started again`),
    });
  }

  async run(): Promise<void> {
    const control = await claim(this.options.layout);
    await ensurePortFree(this.options.port).catch((error: unknown) => {
      control.close();
      throw error;
    });
    const ended = new Promise<void>((resolveEnd) => {
      this.stopping.signal.addEventListener('abort', () => resolveEnd(), { once: true });
    });
    const stop = (): void => this.stopping.abort();
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
    let watcher: { close(): void } | undefined;
    try {
      const seed = await this.prepare();
      await switchOn(this.machine);
      if (seed !== undefined) await plantSeed(seed, this.machine.files);
      watcher = this.machine.watch(() => this.followPower());
      await this.boot();
      await ended;
    } finally {
      watcher?.close();
      this.say('stopping');
      this.bootAbort.abort();
      await this.turn;
      await this.processes.stop();
      await this.journal;
      if (this.machine.exists && this.machine.read().system.power.state !== 'off')
        await switchOff(this.machine);
      control.close();
      this.say('stopped');
    }
  }

  /** Makes the machine when the directory holds none; hands out the seed for it. */
  private async prepare(): Promise<Buffer | undefined> {
    const { machineFile, seed, layout } = this.options;
    if (this.machine.exists) {
      if (machineFile !== undefined)
        throw new Error(`${layout.directory} holds a machine already; --machine is for a new one`);
      if (seed !== undefined)
        throw new Error(`${layout.directory} was started before; --seed is for a first start`);
      return undefined;
    }
    const tar = seed === undefined ? undefined : await packSeed(seed);
    this.machine.create(machineFile === undefined ? undefined : await machineOf(machineFile));
    return tar;
  }

  private async boot(): Promise<void> {
    this.bootAbort = new AbortController();
    const { layout, port } = this.options;
    const certificate = await ensureClientCertificate(this.files);
    const started = performance.now();
    const proxyPort = await freePort();
    this.proxy = new LocalProxy(this.machine, this.processes, proxyPlan({ layout, proxyPort }));
    this.processes.start(await appliancePlans({ layout, port, proxyPort }));
    const signal = AbortSignal.any([this.stopping.signal, this.bootAbort.signal]);
    const late = await waitUntilReady(layout, signal);
    if (signal.aborted) return;
    if (late.length > 0) {
      this.say(`not ready after two minutes: ${late.join(', ')}; the log above says why`);
      return;
    }
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    // A machine whose trust can't be changed just now still runs, and answers on its local socket.
    await trustClient(layout, certificate).catch((error: unknown) => {
      this.say(
        `the client certificate can't be trusted now: ${error instanceof Error ? error.message : String(error)}`,
      );
    });
    await writeClientConfiguration(this.files, layout, port);
    process.stdout.write(welcome(layout, port, seconds));
  }

  /** Looks at the power switch and does what it says, one thing after another. */
  private followPower(): void {
    this.turn = this.turn.then(() => this.carryOutPower()).catch((error: unknown) => this.say(String(error)));
  }

  private async carryOutPower(): Promise<void> {
    if (this.stopping.signal.aborted) return;
    const { state } = this.machine.read().system.power;
    if (state === 'suspended') {
      if (this.suspended) return;
      this.suspended = true;
      this.say('the machine is suspended; `npm run machine -- power on` wakes it');
      // A process that holds the machine's lock must not sleep with it.
      await this.machine.change(() => this.processes.signal('SIGSTOP'));
      return;
    }
    if (this.suspended) {
      this.suspended = false;
      this.processes.signal('SIGCONT');
    }
    switch (state) {
      case 'on':
        // Not awaited: the switch may be used again while the services still start.
        if (!this.processes.running) void this.boot().catch((error: unknown) => this.say(String(error)));
        else await this.proxy?.follow();
        return;
      case 'off':
        this.bootAbort.abort();
        if (!this.processes.running) return;
        await this.processes.kill();
        this.say('the machine lost its power; `npm run machine -- power on` switches it on');
        return;
      case 'rebooting':
      case 'powering-off':
        this.bootAbort.abort();
        this.say(state === 'rebooting' ? 'the machine reboots' : 'the machine powers off');
        await this.processes.stop();
        await switchOff(this.machine);
        if (state === 'rebooting') await switchOn(this.machine);
        else this.say('the machine is off; `npm run machine -- power on` switches it on');
    }
  }

  private say(text: string): void {
    this.log('machine', text);
  }

  private log(name: string, line: string, pid?: number): void {
    process.stdout.write(`${readableLine(name, line, process.stdout.isTTY)}\n`);
    if (!this.machine.exists) return;
    this.journal = this.journal
      .then(() => appendJournal(this.machine, `incus-os-${name}.service`, line, pid))
      .catch(() => undefined);
  }
}

async function machineOf(file: string): Promise<Machine> {
  const path = resolve(process.env['INIT_CWD'] ?? '.', file);
  const text = await new LocalFiles(dirname(path)).readText(`/${basename(path)}`);
  try {
    return describedMachine(text);
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
