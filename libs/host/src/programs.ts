/**
 * Runs programs: an argv array, never a shell, each in a process group of its own with a time limit, an output
 * limit and an abort signal that ends the whole group.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import type { Readable } from 'node:stream';
import { ProgramError } from './program-error.ts';

export interface RunOptions {
  /** Milliseconds until the process group is killed; 30 000 unless given. */
  readonly timeoutMs?: number;
  /** Bytes of standard output and of standard error that are kept before it fails; 16 MiB unless given. */
  readonly maxOutputBytes?: number;
  readonly signal?: AbortSignal;
  /** Written to standard input, which is closed afterwards. */
  readonly stdin?: string | Uint8Array;
  /** Added to a minimal environment (`PATH`, `LC_ALL=C.UTF-8`). Secrets belong in stdin or files, not here. */
  readonly env?: Readonly<Record<string, string>>;
  /** Exit codes that are a result and not a failure; `[0]` unless given, `'any'` for programs that encode state in it. */
  readonly acceptExitCodes?: readonly number[] | 'any';
}

export interface RunResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program whose output is read while it runs. */
export interface ProgramStream {
  readonly stdout: Readable;
  /** Settles when the program ended; rejects with a {@link ProgramError} as `run` does. */
  readonly finished: Promise<RunResult>;
  /** Ends the process group. */
  stop(): void;
}

/** The programs of a machine. */
export interface Programs {
  /**
   * Runs `argv[0]` to its end.
   * @throws ProgramError when it is missing, exits with a code that isn't accepted, or exceeds a limit.
   */
  run(argv: readonly [string, ...string[]], options?: RunOptions): Promise<RunResult>;
  /** Starts `argv[0]` and hands out its standard output; no time limit applies unless `timeoutMs` is given. */
  stream(argv: readonly [string, ...string[]], options?: RunOptions): ProgramStream;
}

const defaultTimeoutMs = 30_000;
const defaultMaxOutputBytes = 16 * 1024 * 1024;
/** Where a program that is named without a directory is looked for, in this order. */
export const programDirectories = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
] as const;
const searchPath = programDirectories.join(':');

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group is gone already.
  }
}

function collect(stream: Readable, limit: number, onExcess: () => void): () => string {
  const decoder = new StringDecoder('utf8');
  const parts: string[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > limit) onExcess();
    else parts.push(decoder.write(chunk));
  });
  return () => parts.join('') + decoder.end();
}

/** The programs of the machine this process runs on. */
export class LocalPrograms implements Programs {
  async run(argv: readonly [string, ...string[]], options: RunOptions = {}): Promise<RunResult> {
    return this.start(argv, { timeoutMs: defaultTimeoutMs, ...options }, true).finished;
  }

  stream(argv: readonly [string, ...string[]], options: RunOptions = {}): ProgramStream {
    return this.start(argv, options, false);
  }

  private start(
    argv: readonly [string, ...string[]],
    options: RunOptions,
    keepOutput: boolean,
  ): ProgramStream {
    const [program, ...rest] = argv;
    options.signal?.throwIfAborted();
    const child = spawn(program, rest, {
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: searchPath, LC_ALL: 'C.UTF-8', ...options.env },
    });
    const finished = this.outcome(child, program, options, keepOutput);
    // A stream's owner may stop listening; the failure is still reported to whoever awaits `finished`.
    finished.catch(() => undefined);
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.stdin);
    return { stdout: child.stdout, finished, stop: () => endGroup(child) };
  }

  private outcome(
    child: ReturnType<typeof spawn> & { stdout: Readable; stderr: Readable },
    program: string,
    options: RunOptions,
    keepOutput: boolean,
  ): Promise<RunResult> {
    return new Promise((resolve, reject) => {
      const limit = options.maxOutputBytes ?? defaultMaxOutputBytes;
      let failure: 'timed-out' | 'too-much-output' | 'aborted' | undefined;
      const end = (why: typeof failure): void => {
        failure ??= why;
        endGroup(child);
      };
      const stdout = keepOutput ? collect(child.stdout, limit, () => end('too-much-output')) : () => '';
      const stderr = collect(child.stderr, limit, () => end('too-much-output'));
      const timer =
        options.timeoutMs === undefined ? undefined : setTimeout(() => end('timed-out'), options.timeoutMs);
      const onAbort = (): void => end('aborted');
      options.signal?.addEventListener('abort', onAbort, { once: true });
      const settle = (): void => {
        clearTimeout(timer);
        options.signal?.removeEventListener('abort', onAbort);
      };
      child.on('error', (error: NodeJS.ErrnoException) => {
        settle();
        const missing = error.code === 'ENOENT';
        reject(
          new ProgramError(
            missing ? 'not-found' : 'failed',
            program,
            '',
            undefined,
            missing
              ? `program ${program} isn't installed`
              : `program ${program} could not be started: ${error.code ?? 'unknown reason'}`,
          ),
        );
      });
      child.on('close', (code, signal) => {
        settle();
        const result = { exitCode: code ?? -1, stdout: stdout(), stderr: stderr() };
        const said = result.stderr.trim();
        if (failure !== undefined) {
          const why = {
            'timed-out': `did not finish within ${options.timeoutMs ?? 0} ms`,
            'too-much-output': `wrote more than ${limit} bytes`,
            aborted: 'was stopped',
          }[failure];
          reject(new ProgramError(failure, program, said, undefined, `${program} ${why}`));
          return;
        }
        const accepted = options.acceptExitCodes ?? [0];
        if (code !== null && (accepted === 'any' || accepted.includes(code))) {
          resolve(result);
          return;
        }
        const how = code === null ? `was ended by ${signal ?? 'a signal'}` : `failed with exit code ${code}`;
        reject(
          new ProgramError(
            'failed',
            program,
            said,
            code ?? undefined,
            said === '' ? `${program} ${how}` : `${program} ${how}: ${said}`,
          ),
        );
      });
    });
  }
}
