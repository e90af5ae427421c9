/**
 * Runs the programs that make the image; their output goes to a log of the step, and is shown when it fails.
 * No program outlives this process, however that ends.
 */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { Interrupted, UserError } from './sentence.ts';

const shownLines = 25;

export interface StepOptions {
  /** The file that gets the program's output. */
  readonly log: string;
  /** What the program is called when it fails; its first argument unless given. */
  readonly name?: string;
  readonly directory?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Told every whole line of the program's output. */
  readonly onLine?: (line: string) => void;
}

/** In front of an argv: the kernel ends it with the process that started it, even one that was killed. */
export const endsWithParent = ['setpriv', '--pdeathsig', 'KILL'] as const;

/** In front of an argv: what it starts ends with it, and what it mounts is gone then. */
export const contained = [
  'unshare',
  '--mount',
  '--propagation=private',
  '--pid',
  '--fork',
  '--kill-child',
] as const;

/**
 * Runs a program to its end.
 * @throws UserError with the end of its log when it fails, and Interrupted when this process is told to end.
 */
export async function step(argv: readonly [string, ...string[]], options: StepOptions): Promise<void> {
  mkdirSync(dirname(options.log), { recursive: true });
  const log = openSync(options.log, 'w');
  const [program, ...args] = [...endsWithParent, ...argv] as const;
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that it can be ended with what it started.
    detached: true,
    env: { ...process.env, LC_ALL: 'C.UTF-8', ...options.env },
    ...(options.directory === undefined ? {} : { cwd: options.directory }),
  });
  for (const stream of [child.stdout, child.stderr]) {
    const lines = new Lines(options.onLine);
    stream.on('data', (data: Buffer) => {
      writeSync(log, data);
      lines.add(data);
    });
  }
  const interrupted = new AbortController();
  const stop = (): void => {
    interrupted.abort();
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
  try {
    const why = await new Promise<string | undefined>((resolve) => {
      child.on('error', (error) => resolve(error.message));
      child.on('close', (code, signal) =>
        resolve(code === 0 ? undefined : signal === null ? `exit code ${code ?? '?'}` : `signal ${signal}`),
      );
    });
    if (interrupted.signal.aborted) throw new Interrupted('Interrupted.');
    if (why === undefined) return;
    const end = readFileSync(options.log, 'utf8').trimEnd().split('\n').slice(-shownLines).join('\n');
    throw new UserError(
      `${end}\n${options.name ?? argv[0]} failed (${why}); the whole log is ${options.log}`,
    );
  } finally {
    closeSync(log);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, stop);
  }
}

/** Cuts a program's output into lines. */
class Lines {
  private readonly decoder = new StringDecoder();
  private readonly onLine: ((line: string) => void) | undefined;
  private rest = '';

  constructor(onLine: ((line: string) => void) | undefined) {
    this.onLine = onLine;
  }

  add(data: Buffer): void {
    if (this.onLine === undefined) return;
    const lines = (this.rest + this.decoder.write(data)).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) this.onLine(line);
  }
}

/**
 * What a short program prints.
 * @throws UserError when it fails.
 */
export function output(argv: readonly [string, ...string[]], options: { directory?: string } = {}): string {
  const [program, ...args] = argv;
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
    ...(options.directory === undefined ? {} : { cwd: options.directory }),
  });
  if (error !== undefined) throw new UserError(`${program} can't be run: ${error.message}`);
  if (status !== 0) throw new UserError(`${argv.join(' ')} failed: ${stderr.trim()}`);
  return stdout;
}
