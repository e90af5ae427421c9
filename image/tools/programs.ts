/** Runs the programs that make the image; their output goes to a log of the step, and is shown when it fails. */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { UserError } from './sentence.ts';

const shownLines = 25;

export interface StepOptions {
  /** The file that gets the program's output. */
  readonly log: string;
  readonly directory?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Runs a program to its end, in a process group that ends with this process.
 * @throws UserError with the end of its log when it fails.
 */
export async function step(argv: readonly [string, ...string[]], options: StepOptions): Promise<void> {
  mkdirSync(dirname(options.log), { recursive: true });
  const log = openSync(options.log, 'w');
  const [program, ...args] = argv;
  const child = spawn(program, args, {
    stdio: ['ignore', log, log],
    env: { ...process.env, LC_ALL: 'C.UTF-8', ...options.env },
    ...(options.directory === undefined ? {} : { cwd: options.directory }),
  });
  const stop = (): void => void child.kill('SIGTERM');
  process.on('exit', stop);
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    const why = await new Promise<string | undefined>((resolve) => {
      child.on('error', (error) => resolve(error.message));
      child.on('close', (code, signal) =>
        resolve(code === 0 ? undefined : signal === null ? `exit code ${code ?? '?'}` : `signal ${signal}`),
      );
    });
    if (why === undefined) return;
    const end = readFileSync(options.log, 'utf8').trimEnd().split('\n').slice(-shownLines).join('\n');
    throw new UserError(`${end}\n${program} failed (${why}); the whole log is ${options.log}`);
  } finally {
    closeSync(log);
    for (const event of ['exit', 'SIGINT', 'SIGTERM']) process.removeListener(event, stop);
  }
}

/**
 * What a short program prints.
 * @throws UserError when it fails.
 */
export function output(argv: readonly [string, ...string[]]): string {
  const [program, ...args] = argv;
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  });
  if (error !== undefined) throw new UserError(`${program} can't be run: ${error.message}`);
  if (status !== 0) throw new UserError(`${argv.join(' ')} failed: ${stderr.trim()}`);
  return stdout;
}
