/** The command line of `npm run image`. */
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import { UsageError } from './sentence.ts';

export const architectures = ['amd64', 'arm64'] as const;
/** By Debian's name. */
export type Architecture = (typeof architectures)[number];

export interface BuildOptions {
  /** `YYYYMMDDHHMM`. */
  readonly version: string;
  /** Where the keys are; keys for development unless given. */
  readonly keys: string | undefined;
  readonly architecture: Architecture;
  readonly imageServer: string | undefined;
  readonly output: string;
  /** Also the compressed files that a server of releases offers. */
  readonly release: boolean;
  /** Forget the packages that were installed for the last image. */
  readonly fresh: boolean;
  /** Only the tree of the root file system. */
  readonly onlyTree: boolean;
}

export interface Surroundings {
  /** What relative paths belong to. */
  readonly directory: string;
  readonly now: Date;
  /** As Node names it. */
  readonly machine: string;
  /** Where the image goes when nothing else is said. */
  readonly output: string;
  readonly print: (text: string) => void;
}

/** Debian's name of an architecture that Node names. */
export function architectureOf(machine: string): Architecture {
  return machine === 'arm64' ? 'arm64' : 'amd64';
}

/**
 * Reads a command line.
 * @returns `undefined` when it asked for help, which was printed.
 * @throws UsageError
 */
export function parseOptions(argv: readonly string[], around: Surroundings): BuildOptions | undefined {
  const own = architectureOf(around.machine);
  const program = new Command('npm run image --')
    .description('Builds the image of the operating system, as root on Debian 12 or 13.')
    .option('--version <version>', 'YYYYMMDDHHMM (default: now, in UTC)')
    .option('--keys <directory>', 'the keys that sign it (default: keys for development, made in image/keys)')
    .addOption(new Option('--arch <architecture>', 'of the image').choices(architectures).default(own))
    .option('--image-server <url>', "where the installed system's releases come from")
    .option('--output <directory>', 'of the image; one of another version is removed', around.output)
    .option('--release', 'also the compressed files that a server of releases offers', false)
    .option('--fresh', 'install all packages anew', false)
    .option('--only-tree', 'stop when the tree of the root file system is complete', false)
    .helpOption('--help', 'print this')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: around.print, writeErr: () => undefined });
  try {
    program.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw new UsageError(
      `${error.message.replace(/^error: /u, '')} (npm run image -- --help tells the options)`,
    );
  }
  const given = program.opts<{
    version?: string;
    keys?: string;
    arch: Architecture;
    imageServer?: string;
    output: string;
    release: boolean;
    fresh: boolean;
    onlyTree: boolean;
  }>();
  return {
    version: checkVersion(given.version ?? versionOf(around.now)),
    keys: given.keys === undefined ? undefined : existingDirectory(resolve(around.directory, given.keys)),
    architecture: given.arch,
    imageServer: given.imageServer === undefined ? undefined : checkServer(given.imageServer),
    output: possibleDirectory(resolve(around.directory, given.output)),
    release: given.release,
    fresh: given.fresh,
    onlyTree: given.onlyTree,
  };
}

/** The minute, as the versions of images are written. */
export function versionOf(now: Date): string {
  return now.toISOString().replaceAll(/\D/gu, '').slice(0, 12);
}

function checkVersion(version: string): string {
  const iso = version.replace(/^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})$/u, '$1-$2-$3T$4:$5:00.000Z');
  const time = new Date(iso);
  // A date like February 30 is a number that the calendar doesn't have: it comes back as another.
  if (iso === version || Number.isNaN(time.getTime()) || versionOf(time) !== version)
    throw new UsageError(`--version: ${version} is no minute of the form YYYYMMDDHHMM.`);
  return version;
}

function existingDirectory(path: string): string {
  if (!existsSync(path)) throw new UsageError(`--keys: there is no directory ${path}.`);
  if (!statSync(path).isDirectory()) throw new UsageError(`--keys: ${path} is not a directory.`);
  return path;
}

function possibleDirectory(path: string): string {
  if (existsSync(path) && !statSync(path).isDirectory())
    throw new UsageError(`--output: ${path} is not a directory.`);
  return path;
}

function checkServer(text: string): string {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw new UsageError(`--image-server: ${text} is not an http or https URL.`);
  return text;
}

/** `image/output`. */
export const defaultOutput = join(import.meta.dirname, '../output');
