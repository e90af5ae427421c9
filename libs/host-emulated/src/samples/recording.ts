/**
 * What real programs answered: recordings of a real machine, made by `e2e/vm/record`. Each is a course of steps, with
 * everything that is needed to go through it again on the emulated machine.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface RecordedRun {
  readonly run: readonly [string, ...string[]];
  readonly stdin?: string;
  readonly exit_code: number;
  /** Lines without their ends; the last one is empty when the text ended with a line's end. */
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
}

export type RecordedStep =
  | RecordedRun
  /** A program that goes on until it is stopped; what it wrote by then is with the stop. */
  | { readonly start: readonly [string, ...string[]] }
  | { readonly stop: readonly [string, ...string[]]; readonly stdout: readonly string[] }
  /** A file that the course needs; `text` is base64 where that is said. */
  | { readonly write: string; readonly text: string; readonly base64?: true }
  /** What a file of the kernel's or of firmware's held, or the errno that reading it gave. */
  | { readonly read: string; readonly lines: readonly string[] }
  | { readonly read: string; readonly binary: true; readonly base64: string }
  | { readonly read: string; readonly error: string }
  /** Drives, by their serial numbers. */
  | { readonly unplug: string }
  | { readonly plug: string }
  /** Seconds that went by. */
  | { readonly pass: number }
  /** Only on the real machine. */
  | { readonly real: string };

export interface RecordedDrive {
  readonly serial: string;
  readonly bus: 'scsi' | 'sata' | 'nvme' | 'usb' | 'virtio';
  readonly size: number;
  /** The kernel's name, such as `sdb`. */
  readonly name: string;
  readonly wwn?: string;
}

export interface Recording {
  readonly about: string;
  readonly recorded: {
    /** Version of the image. */
    readonly image: string;
    readonly kernel: string;
    /** Versions of the Debian packages that the programs are from. */
    readonly packages: Readonly<Record<string, string>>;
  };
  /** Drives beside the system disk. */
  readonly drives: readonly RecordedDrive[];
  /** Network cards in the order of the kernel's indices. */
  readonly cards: readonly { readonly name: string; readonly mac: string }[];
  readonly steps: readonly RecordedStep[];
}

const directory = join(import.meta.dirname, '../../samples');

/** Names such as `storage/volumes`. */
export function recordingNames(): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length))
    .toSorted();
}

export function recording(name: string): Recording {
  return JSON.parse(readFileSync(join(directory, `${name}.json`), 'utf8')) as Recording;
}

/**
 * The answers to a command line, in the order of the course.
 * @param line arguments with spaces between; a beginning of them is enough.
 * @throws Error when the recording has none.
 */
export function answersTo(name: string, line: string): RecordedRun[] {
  const found = recording(name).steps.filter(
    (step): step is RecordedRun => 'run' in step && step.run.join(' ').startsWith(line),
  );
  if (found.length === 0) throw new Error(`the recording ${name} has no '${line}'`);
  return found;
}

/** The standard output of the one, or of the `index`-th, answer to a command line. */
export function outputOf(name: string, line: string, index = 0): string {
  const answer = answersTo(name, line)[index];
  if (answer === undefined) throw new Error(`the recording ${name} has no answer ${index} to '${line}'`);
  return answer.stdout.join('\n');
}

/** What a program wrote until it was stopped. */
export function watchedBy(name: string, line: string): string {
  for (const step of recording(name).steps)
    if ('stop' in step && step.stop.join(' ') === line) return step.stdout.join('\n');
  throw new Error(`the recording ${name} has no '${line}' that was stopped`);
}

/** What a file held. @throws Error when it was not read, or could not be. */
export function fileIn(name: string, path: string): Buffer {
  for (const step of recording(name).steps) {
    if (!('read' in step) || step.read !== path) continue;
    if ('lines' in step) return Buffer.from(step.lines.join('\n'));
    if ('base64' in step) return Buffer.from(step.base64, 'base64');
    throw new Error(`reading ${path} gave ${step.error} in the recording ${name}`);
  }
  throw new Error(`the recording ${name} has no ${path}`);
}
