/**
 * A program that runs for as long as the service does and prints a line when something changed, such as
 * `udevadm monitor` or `ip monitor`.
 *
 * Invariants: it is started again whenever it ended, at once at first and then ever more patiently; while
 * {@link WatchedProgram.alive} is false nobody may rely on being told; `begun` comes with every start, since what
 * happened before was not announced.
 */
import { createInterface } from 'node:readline';
import type { Programs, ProgramStream } from './programs.ts';

/** What a watched program's owner is told. */
export interface WatchedProgramEvents {
  /** The program was started. */
  readonly begun: () => void;
  /** It printed a line. */
  readonly line: (line: string) => void;
  /** It ended, and why; it will be started again. */
  readonly lost: (why: string) => void;
}

const firstPauseMs = 500;
const longestPauseMs = 30_000;

export class WatchedProgram {
  private stream: ProgramStream | undefined;
  private timer: NodeJS.Timeout | undefined;
  private pauseMs = firstPauseMs;
  private stopped = false;

  constructor(
    private readonly programs: Programs,
    private readonly argv: readonly [string, ...string[]],
    private readonly events: WatchedProgramEvents,
  ) {}

  get alive(): boolean {
    return this.stream !== undefined;
  }

  start(): void {
    if (this.stopped || this.stream !== undefined) return;
    const startedAt = Date.now();
    const stream = this.programs.stream(this.argv);
    this.stream = stream;
    this.events.begun();
    createInterface({ input: stream.stdout }).on('line', (line) => {
      if (!this.stopped) this.events.line(line);
    });
    stream.finished.then(
      () => this.ended('it ended', startedAt),
      (error: unknown) => this.ended(error instanceof Error ? error.message : String(error), startedAt),
    );
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.stream?.stop();
    this.stream = undefined;
  }

  private ended(why: string, startedAt: number): void {
    this.stream = undefined;
    if (this.stopped) return;
    // One that ran for long is no program that can't be started.
    if (Date.now() - startedAt > longestPauseMs) this.pauseMs = firstPauseMs;
    this.events.lost(why);
    this.timer = setTimeout(() => this.start(), this.pauseMs).unref();
    this.pauseMs = Math.min(this.pauseMs * 2, longestPauseMs);
  }
}
