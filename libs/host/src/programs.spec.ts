import { describe, expect, it } from 'vitest';
import { ProgramError } from './program-error.ts';
import { LocalPrograms } from './programs.ts';

const programs = new LocalPrograms();

async function failureOf(run: Promise<unknown>): Promise<ProgramError> {
  const error: unknown = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof ProgramError) return error;
  throw new Error(`expected a ProgramError, got ${String(error)}`);
}

describe('a program', () => {
  it('gets its arguments as they are, never through a shell', async () => {
    const { stdout } = await programs.run(['printf', '%s|', '$HOME', '; ls', '*']);
    expect(stdout).toBe('$HOME|; ls|*|');
  });

  it('gets its standard input', async () => {
    const { stdout } = await programs.run(['cat'], { stdin: 'über\n' });
    expect(stdout).toBe('über\n');
  });

  it('that is missing says so by name', async () => {
    expect(await failureOf(programs.run(['no-such-program-here']))).toMatchObject({
      failure: 'not-found',
      message: "program no-such-program-here isn't installed",
    });
  });

  it('that fails brings what it wrote to standard error', async () => {
    const error = await failureOf(programs.run(['sh', '-c', 'echo broken >&2; exit 3']));
    expect(error).toMatchObject({ failure: 'failed', exitCode: 3, stderr: 'broken' });
  });

  it('whose exit code is a result does not fail', async () => {
    const { exitCode } = await programs.run(['sh', '-c', 'exit 4'], { acceptExitCodes: [0, 4] });
    expect(exitCode).toBe(4);
  });

  it('that takes too long is ended with all it started', async () => {
    const error = await failureOf(
      programs.run(['sh', '-c', 'sleep 1000 & echo $!; wait'], { timeoutMs: 200 }),
    );
    expect(error.failure).toBe('timed-out');
    const { stdout } = await programs.run(['ps', '-eo', 'args']);
    expect(stdout.split('\n').filter((line) => line === 'sleep 1000')).toEqual([]);
  });

  it('that writes too much is ended', async () => {
    const error = await failureOf(programs.run(['yes'], { maxOutputBytes: 4_096 }));
    expect(error.failure).toBe('too-much-output');
  });

  it('is ended with the signal of its caller', async () => {
    const caller = new AbortController();
    const running = programs.run(['sleep', '1000'], { signal: caller.signal });
    caller.abort();
    expect((await failureOf(running)).failure).toBe('aborted');
  });

  it('can be read while it runs', async () => {
    const stream = programs.stream(['sh', '-c', 'echo first; exec sleep 1000']);
    for await (const chunk of stream.stdout) {
      expect(String(chunk)).toBe('first\n');
      stream.stop();
    }
    await failureOf(stream.finished);
  });
});
