/** How far a boot is, for a person at a terminal or a file: a line for each thing that happened, and for a terminal a last one that lives. */

const frameMs = 250;
const frames = ['⠋', '⠙', '⠸', '⠴', '⠦', '⠇'] as const;
/** A terminal that doesn't tell its width. */
const usualColumns = 80;

export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export class Progress {
  private readonly output: Output;
  private began = performance.now();
  private current: string | undefined;
  private frame = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(output: Output) {
    this.output = output;
  }

  /** Counts the seconds from now on. */
  restart(): void {
    this.began = performance.now();
  }

  get seconds(): number {
    return (performance.now() - this.began) / 1_000;
  }

  /** Something that happened. */
  say(text: string): void {
    this.wipe();
    this.output.write(`${this.stamp()} ${text}\n`);
    this.draw();
  }

  /** What is waited for, shown on a terminal until {@link rest}. */
  wait(text: string): void {
    this.current = text;
    if (this.output.isTTY !== true) return;
    this.timer ??= setInterval(() => {
      this.frame = (this.frame + 1) % frames.length;
      this.wipe();
      this.draw();
    }, frameMs).unref();
    this.wipe();
    this.draw();
  }

  /** Nothing is waited for. */
  rest(): void {
    this.wipe();
    clearInterval(this.timer);
    this.timer = undefined;
    this.current = undefined;
  }

  private stamp(): string {
    return `[${String(Math.round(this.seconds)).padStart(4)} s]`;
  }

  private wipe(): void {
    if (this.timer !== undefined) this.output.write('\r\u001B[K');
  }

  private draw(): void {
    if (this.timer === undefined || this.current === undefined) return;
    const line = `${this.stamp()} ${frames[this.frame] ?? ''} ${this.current}`;
    this.output.write(line.slice(0, (this.output.columns ?? usualColumns) - 1));
  }
}
