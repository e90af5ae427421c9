/**
 * Runs inside the guest, by its own Node: goes through a part of a scene and prints what the programs answered, as one
 * line of JSON. Programs get the environment that libs/host gives them. It imports nothing but Node.
 *
 * Standard input: {@link GuestRequest}; standard output: {@link GuestAnswer}.
 */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Argv, Step } from './scene.ts';

/** Programs that go on, by their arguments. */
type Running = Record<string, { readonly pid: number; readonly file: string }>;

export interface GuestRequest {
  readonly steps: readonly Step[];
  readonly running: Running;
}

export interface GuestAnswer {
  readonly steps: readonly Answered[];
  readonly running: Running;
}

/** A step, with what came of it. */
export type Answered = Step & {
  readonly exit_code?: number | null;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly text?: string;
  readonly base64?: string | true;
  readonly error?: string;
};

const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' };
const scratch = process.env['RECORDING_SCRATCH'] ?? '/run/samples';
const request = JSON.parse(readFileSync(0, 'utf8')) as GuestRequest;
const running = new Map(Object.entries(request.running));
// systemd's services, which aren't root, read what is written here.
process.umask(0o022);
mkdirSync(scratch, { recursive: true });

const done: Answered[] = [];
for (const step of request.steps) done.push(await go(step));
const answer: GuestAnswer = { steps: done, running: Object.fromEntries(running) };
process.stdout.write(`${JSON.stringify(answer)}\n`);

async function go(step: Step): Promise<Answered> {
  if ('run' in step) return { ...step, ...outcome(step.run, step.stdin) };
  if ('start' in step) start(step.start);
  else if ('stop' in step) return { ...step, stdout: await stop(step.stop) };
  else if ('read' in step) return { ...step, ...content(step) };
  else if ('write' in step) {
    mkdirSync(dirname(step.write), { recursive: true });
    writeFileSync(step.write, Buffer.from(step.text, step.base64 === true ? 'base64' : 'utf8'));
  } else if ('real' in step) {
    const { exit_code, stderr } = outcome(['/bin/bash', '-c', step.real]);
    if (exit_code !== 0) throw new Error(`${step.real} failed: ${stderr}`);
  } else if ('pass' in step) await sleep(step.pass * 1_000);
  else throw new Error(`the guest knows no step ${JSON.stringify(step)}`);
  return step;
}

interface Outcome {
  readonly exit_code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function outcome([program, ...args]: Argv, stdin = ''): Outcome {
  const options = { env, input: stdin, timeout: 300_000, maxBuffer: 64 * 1024 ** 2 };
  const { status, stdout, stderr, error } = spawnSync(program, args, { ...options, encoding: 'utf8' });
  if (error !== undefined) throw error;
  return { exit_code: status, stdout, stderr };
}

function start([program, ...args]: Argv): void {
  const file = `${scratch}/${running.size}.out`;
  const out = openSync(file, 'w');
  const child = spawn(program, args, { env, stdio: ['ignore', out, out], detached: true });
  child.unref();
  closeSync(out);
  if (child.pid === undefined) throw new Error(`${program} could not be started`);
  running.set([program, ...args].join(' '), { pid: child.pid, file });
}

async function stop(argv: Argv): Promise<string> {
  const name = argv.join(' ');
  const started = running.get(name);
  if (started === undefined) throw new Error(`${name} was not started`);
  process.kill(-started.pid, 'SIGTERM');
  await sleep(500);
  const stdout = readFileSync(started.file, 'utf8');
  rmSync(started.file);
  running.delete(name);
  return stdout;
}

function content({ read, binary }: Extract<Step, { readonly read: string }>): Partial<Answered> {
  try {
    const bytes = readFileSync(read);
    return binary === true ? { base64: bytes.toString('base64') } : { text: bytes.toString('utf8') };
  } catch (error) {
    return { error: error instanceof Error && 'code' in error ? String(error.code) : String(error) };
  }
}
