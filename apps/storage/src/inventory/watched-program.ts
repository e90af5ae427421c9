/**
 * A program that runs for as long as the service does and prints a line when something changed. It is started again
 * when it ends; until then {@link WatchedProgram.alive} is false and nobody may rely on having been told.
 */
import type { Host, ProgramStream } from '@incusos/host';
import type { Logger } from '@incusos/service';

const restart = { firstMs: 500, mostMs: 30_000 };

export class WatchedProgram {
  private stream: ProgramStream | undefined;
  private timer: NodeJS.Timeout | undefined;
  private delayMs = restart.firstMs;
  private stopped = false;

  constructor(
    private readonly host: Host,
    private readonly argv: readonly [string, ...string[]],
    private readonly logger: Logger,
    private readonly onLine: (line: string) => void,
  ) {}

  get alive(): boolean {
    return this.stream !== undefined;
  }

  start(): void {
    if (this.stopped) return;
    const stream = this.host.programs.stream(this.argv);
    this.stream = stream;
    const startedAt = Date.now();
    let rest = '';
    stream.stdout.setEncoding('utf8');
    stream.stdout.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.onLine(line);
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
  }

  private ended(why: string, startedAt: number): void {
    this.stream = undefined;
    if (this.stopped) return;
    this.delayMs =
      Date.now() - startedAt > restart.mostMs ? restart.firstMs : Math.min(this.delayMs * 2, restart.mostMs);
    this.logger.warn('changes are not announced for now, the machine is asked instead', {
      program: this.argv[0],
      why,
    });
    this.timer = setTimeout(() => {
      this.start();
      // What happened meanwhile was not announced.
      this.onLine('');
    }, this.delayMs).unref();
  }
}
