/**
 * Keeps the processes of the appliance running.
 *
 * Invariants: one that ends by itself is started again, the sooner the longer it had run; one that was told to stop
 * stays stopped; after `stop` none of them is left.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunningProcess, startProcess } from '@incusos/host';
import { readLines } from './lines.ts';

export interface ProcessPlan {
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether it is a Node program of ours, which a channel tells that its supervisor is gone. */
  readonly ours: boolean;
}

/** What happens to processes, for the log. */
export interface ProcessEvents {
  readonly line: (name: string, pid: number | undefined, line: string) => void;
  readonly restarted: (name: string, why: string) => void;
}

/** A process has 5 s to stop; then it is killed. */
const stopLimitMs = 5_500;
const shortestPauseMs = 100;
const longestPauseMs = 5_000;
/** One that ran for this long is started again at once. */
const stableMs = 10_000;

class Supervised {
  private running: RunningProcess | undefined;
  private readonly unwanted = new AbortController();
  private readonly loop: Promise<void>;

  constructor(
    private readonly plan: ProcessPlan,
    private readonly events: ProcessEvents,
  ) {
    this.loop = this.keep();
  }

  get pid(): number | undefined {
    return this.running?.pid;
  }

  signal(name: NodeJS.Signals): void {
    this.running?.signal(name);
  }

  async stop(): Promise<void> {
    this.unwanted.abort();
    this.running?.signal('SIGTERM');
    const patience = new AbortController();
    const late = sleep(stopLimitMs, 'late', { signal: patience.signal }).catch(() => 'cancelled');
    if ((await Promise.race([this.loop.then(() => 'ended'), late])) === 'late')
      this.running?.signal('SIGKILL');
    await this.loop;
    patience.abort();
  }

  kill(): Promise<void> {
    this.unwanted.abort();
    this.running?.signal('SIGKILL');
    return this.loop;
  }

  private toldToStop(): boolean {
    return this.unwanted.signal.aborted;
  }

  private async keep(): Promise<void> {
    let pause = shortestPauseMs;
    while (!this.toldToStop()) {
      const { argv, env, ours, name } = this.plan;
      const started = Date.now();
      const child = startProcess(argv, { env, channel: ours });
      this.running = child;
      readLines(child.stdout, (line) => this.events.line(name, child.pid, line));
      readLines(child.stderr, (line) => this.events.line(name, child.pid, line));
      const { code, signal } = await child.exited;
      this.running = undefined;
      if (this.toldToStop()) return;
      this.events.restarted(
        name,
        signal === undefined ? `ended with code ${code ?? 0}` : `was ended by ${signal}`,
      );
      pause = Date.now() - started > stableMs ? shortestPauseMs : Math.min(pause * 2, longestPauseMs);
      await sleep(pause);
    }
  }
}

export class Processes {
  private supervised = new Map<string, Supervised>();

  constructor(private readonly events: ProcessEvents) {}

  get running(): boolean {
    return this.supervised.size > 0;
  }

  pids(): ReadonlyMap<string, number | undefined> {
    return new Map([...this.supervised].map(([name, process]) => [name, process.pid]));
  }

  start(plans: readonly ProcessPlan[]): void {
    for (const plan of plans) {
      if (!this.supervised.has(plan.name)) this.supervised.set(plan.name, new Supervised(plan, this.events));
    }
  }

  signal(name: NodeJS.Signals): void {
    for (const process of this.supervised.values()) process.signal(name);
  }

  /** Stops one of them, if it runs. */
  async stopOne(name: string): Promise<void> {
    const process = this.supervised.get(name);
    this.supervised.delete(name);
    await process?.stop();
  }

  /** Stops all of them in order: each gets SIGTERM and a few seconds. */
  stop(): Promise<void> {
    return this.end((process) => process.stop());
  }

  /** Ends all of them at once, as a power cut does. */
  kill(): Promise<void> {
    return this.end((process) => process.kill());
  }

  private async end(how: (process: Supervised) => Promise<void>): Promise<void> {
    const processes = [...this.supervised.values()];
    this.supervised = new Map();
    await Promise.all(processes.map(how));
  }
}
