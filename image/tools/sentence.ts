/** What a person at the terminal reads: progress, and failures that are theirs to put right. */
import { formatDuration } from './units.ts';

/** Something the person can put right; shown without a stack. */
export class UserError extends Error {
  /** With what the program ends. */
  readonly exitCode: number = 1;
}

/** A command line that says nothing sensible. */
export class UsageError extends UserError {
  override readonly exitCode = 2;
}

/** Ended by Ctrl-C or by SIGTERM, in order. */
export class Interrupted extends UserError {
  override readonly exitCode = 130;
}

const started = performance.now();
let live = '';

/** Since the program began, in milliseconds. */
export function elapsedMs(): number {
  return performance.now() - started;
}

/** One line of progress with the time since the start. */
export function say(text: string): void {
  const shown = live;
  showLive('');
  process.stderr.write(`${lineOf(text)}\n`);
  showLive(shown);
}

/** The last line of a terminal, which changes as work goes on; none when it is empty, or when nobody watches. */
function showLive(text: string): void {
  if (!process.stderr.isTTY || (text === '' && live === '')) return;
  live = text;
  const width = Math.max(20, process.stderr.columns - 1);
  process.stderr.write(`\r\x1b[K${text === '' ? '' : lineOf(text).slice(0, width)}`);
}

function lineOf(text: string): string {
  return `[${String(Math.round(elapsedMs() / 1_000)).padStart(4)} s] ${text}`;
}

/**
 * Does a part of the work that takes long, and says how long it took. On a terminal the last line shows where it is;
 * elsewhere that is one line each.
 * @param work gets a function that tells what it is about to do.
 */
export async function part<R>(title: string, work: (now: (what: string) => void) => Promise<R>): Promise<R> {
  const begun = performance.now();
  let what = '';
  const terminal = process.stderr.isTTY;
  const show = (): void => showLive(what === '' ? `${title} …` : `${title}: ${what}`);
  if (terminal) show();
  else say(`${title} …`);
  const timer = setInterval(show, 1_000);
  try {
    const result = await work((next) => {
      what = next;
      if (terminal) show();
      else say(`  ${next}`);
    });
    showLive('');
    say(`${title}: ${formatDuration(performance.now() - begun)}`);
    return result;
  } finally {
    clearInterval(timer);
    showLive('');
  }
}

/** Runs `main`; a {@link UserError} becomes its sentence and its exit code. */
export async function runMain(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}
