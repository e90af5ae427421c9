/** The programs of the emulated machine, behind the same interface, limits and errors as real ones. */
import { PassThrough } from 'node:stream';
import {
  ProgramError,
  type Programs,
  type ProgramStream,
  type RunOptions,
  type RunResult,
} from '@incusos/host';
import type { EmulatedMachine } from '../machine/emulated-machine.ts';
import type { Tool, ToolResult } from './tool.ts';

const defaultTimeoutMs = 30_000;

export class EmulatedPrograms implements Programs {
  constructor(
    private readonly machine: EmulatedMachine,
    private readonly tools: ReadonlyMap<string, Tool>,
  ) {}

  run(argv: readonly [string, ...string[]], options: RunOptions = {}): Promise<RunResult> {
    return this.execute(
      argv,
      { timeoutMs: defaultTimeoutMs, ...options },
      () => undefined,
      new AbortController(),
    );
  }

  stream(argv: readonly [string, ...string[]], options: RunOptions = {}): ProgramStream {
    const stdout = new PassThrough();
    const stopper = new AbortController();
    const finished = this.execute(argv, options, (text) => stdout.write(text), stopper).then(
      (result) => {
        stdout.end(result.stdout);
        return { ...result, stdout: '' };
      },
      (error: unknown) => {
        stdout.end();
        throw error;
      },
    );
    finished.catch(() => undefined);
    return { stdout, finished, stop: () => stopper.abort() };
  }

  private async execute(
    argv: readonly [string, ...string[]],
    options: RunOptions,
    write: (text: string) => void,
    stopper: AbortController,
  ): Promise<RunResult> {
    const [program, ...args] = argv;
    const name = program.slice(program.lastIndexOf('/') + 1);
    const tool = this.tools.get(name);
    if (tool === undefined) {
      throw new ProgramError('not-found', program, '', undefined, `program ${program} isn't installed`);
    }
    options.signal?.throwIfAborted();
    const limits = [stopper.signal];
    if (options.timeoutMs !== undefined) limits.push(AbortSignal.timeout(options.timeoutMs));
    if (options.signal !== undefined) limits.push(options.signal);
    const signal = AbortSignal.any(limits);
    const result = await Promise.race([
      Promise.resolve(
        tool({
          args,
          stdin: options.stdin === undefined ? '' : Buffer.from(options.stdin).toString('utf8'),
          env: options.env ?? {},
          machine: this.machine,
          files: this.machine.files,
          signal,
          write,
        }),
      ),
      interruption(signal, program, options),
    ]);
    return settle(program, result, options);
  }
}

function interruption(signal: AbortSignal, program: string, options: RunOptions): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = (): void => {
      const timedOut = signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError';
      const why = timedOut ? `did not finish within ${options.timeoutMs ?? 0} ms` : 'was stopped';
      reject(
        new ProgramError(timedOut ? 'timed-out' : 'aborted', program, '', undefined, `${program} ${why}`),
      );
    };
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}

function settle(program: string, result: ToolResult, options: RunOptions): RunResult {
  const { exitCode = 0, stdout = '', stderr = '' } = result;
  const accepted = options.acceptExitCodes ?? [0];
  if (accepted === 'any' || accepted.includes(exitCode)) return { exitCode, stdout, stderr };
  const said = stderr.trim();
  const message = `${program} failed with exit code ${exitCode}`;
  throw new ProgramError('failed', program, said, exitCode, said === '' ? message : `${message}: ${said}`);
}
