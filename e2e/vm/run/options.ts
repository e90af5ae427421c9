/** What was typed after `npm run vm --`, understood. */
import { existsSync } from 'node:fs';
import { UserError } from '../../../image/tools/sentence.ts';
import type { Description } from '../hardware/description.ts';
import { withDrive, withNic } from '../hardware/description.ts';
import { type DriveRequest, driveOf } from '../hardware/drive.ts';
import { networkText, type NicRequest, nicOf } from '../hardware/nic.ts';
import type { Accelerator } from '../machine.ts';
import { fromHere, machineDirectory } from './directory.ts';
import { typed } from './usage-error.ts';

/** The options in commander's form. */
export interface TypedOptions {
  readonly dir?: string;
  readonly port?: string;
  readonly drive?: readonly string[];
  readonly nic?: readonly string[];
  readonly seed?: string;
  readonly tpm?: boolean;
  readonly secureBoot?: boolean;
  readonly snapshot?: boolean;
  readonly image?: string;
  readonly accel?: string;
  readonly memory?: string;
  readonly credential?: readonly string[];
  readonly timeout?: string;
}

export interface RunOptions {
  readonly directory: string;
  /** As typed, if it was. */
  readonly typedDirectory: string | undefined;
  readonly port: number | undefined;
  readonly drives: readonly DriveRequest[];
  readonly nics: readonly NicRequest[];
  readonly seed: string | undefined;
  readonly tpm: boolean | undefined;
  readonly secureBoot: boolean | undefined;
  readonly snapshot: boolean;
  readonly image: string | undefined;
  readonly accelerator: Accelerator | undefined;
  /** MiB. */
  readonly memory: number | undefined;
  readonly credentials: Readonly<Record<string, string>>;
  /** For how long the API is waited for, in minutes. */
  readonly timeout: number;
}

const minimumMemory = 1024;
/** First boots without KVM on a busy computer take minutes. */
const defaultTimeout = 15;

/** @throws UsageError saying what is wrong. */
export function runOptions(options: TypedOptions): RunOptions {
  return typed(() => {
    const drives = (options.drive ?? []).map(driveOf);
    const nics = (options.nic ?? []).map(nicOf);
    refuseTwice(
      'drive',
      drives.map(({ id }) => id),
    );
    refuseTwice(
      'NIC',
      nics.map(({ name }) => name),
    );
    return {
      ...{ directory: machineDirectory(options.dir), typedDirectory: options.dir, drives, nics },
      port: numberOf('port', options.port, 1, 65_535),
      seed: fileAt('seed', options.seed),
      ...{ tpm: options.tpm, secureBoot: options.secureBoot, snapshot: options.snapshot === true },
      image: fileAt('image', options.image),
      accelerator: acceleratorOf(options.accel),
      memory: numberOf('number of MiB of memory', options.memory, minimumMemory, 1024 ** 2),
      credentials: Object.fromEntries((options.credential ?? []).map(credentialOf)),
      timeout: numberOf('number of minutes', options.timeout, 1, 24 * 60) ?? defaultTimeout,
    };
  });
}

/**
 * The hardware that was there, with what was asked for. What is there already stays as it is, so that the same command
 * line starts a machine again.
 * @throws UserError when what is there is something else.
 */
export function describedBy(kept: Description, options: RunOptions): Description {
  let description: Description = {
    ...kept,
    port: options.port ?? kept.port,
    memory: options.memory ?? kept.memory,
    tpm: options.tpm ?? kept.tpm,
    secure_boot: options.secureBoot ?? kept.secure_boot,
    credentials: { ...kept.credentials, ...options.credentials },
  };
  for (const request of options.drives) {
    const known = description.drives.find(({ id }) => id === request.id);
    const same =
      known?.attached === true && known.bus === request.bus && known.size_bytes === request.size_bytes;
    if (!same) ({ description } = withDrive(description, request));
  }
  for (const request of options.nics) {
    const known = description.nics.find(({ name }) => name === request.name);
    const same = known !== undefined && networkText(known.network) === networkText(request.network);
    if (!same) ({ description } = withNic(description, request));
  }
  return description;
}

function refuseTwice(what: string, names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new UserError(`the ${what} ${twice} is there twice.`);
}

function numberOf(what: string, text: string | undefined, least: number, most: number): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (text.trim() === '' || !Number.isInteger(number) || number < least || number > most)
    throw new UserError(`the ${what} is from ${least} to ${most}, and not ${text}.`);
  return number;
}

function fileAt(what: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const path = fromHere(text);
  if (!existsSync(path)) throw new UserError(`there is no ${what} at ${text}.`);
  return path;
}

function acceleratorOf(text: string | undefined): Accelerator | undefined {
  if (text === undefined || text === 'kvm' || text === 'tcg') return text;
  throw new UserError(`there is no accelerator ${text}; kvm and tcg are.`);
}

function credentialOf(text: string): [string, string] {
  const [name = '', file = '', ...rest] = text.split('=');
  if (name === '' || file === '' || rest.length > 0)
    throw new UserError(`the credential ${text} is not of the form NAME=FILE.`);
  return [name, file];
}
