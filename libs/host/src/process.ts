/**
 * Long-running processes of a supervisor: each in a group of its own, told by a channel when the supervisor is gone.
 */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

export interface ProcessOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Opens a channel whose end tells the process that its supervisor is gone; only for Node programs of ours. */
  readonly channel?: boolean;
}

export interface ProcessExit {
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

export interface RunningProcess {
  readonly pid: number | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when it ended; with `code` 127 when it could not be started. */
  readonly exited: Promise<ProcessExit>;
  /** Signals the whole process group. */
  signal(name: NodeJS.Signals): void;
}

/** Starts a program that goes on until it is told to stop. */
export function startProcess(argv: readonly [string, ...string[]], options: ProcessOptions): RunningProcess {
  const [program, ...rest] = argv;
  const child = spawn(program, rest, {
    detached: true,
    stdio: options.channel === true ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'pipe', 'pipe'],
    env: options.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const exited = new Promise<ProcessExit>((resolve) => {
    child.on('error', () => resolve({ code: 127, signal: undefined }));
    child.on('exit', (code, signal) => resolve({ code: code ?? undefined, signal: signal ?? undefined }));
  });
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error(`${program} has no output`);
  return {
    pid: child.pid,
    stdout,
    stderr,
    exited,
    signal: (name) => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, name);
      } catch {
        // It is gone already.
      }
    },
  };
}
