/**
 * Programs of another architecture run by QEMU's user emulation, for as long as a program in the tools root runs that
 * needs it. The kernel is told in a mount of that program's own, which ends with it.
 */
import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { PackageIndex } from './archive.ts';
import { cached, keyOf } from './cache.ts';
import { architectureOf, type Architecture } from './options.ts';
import { output } from './programs.ts';
import { part } from './sentence.ts';

const emulators: Readonly<Record<Architecture, string>> = { amd64: 'qemu-x86_64', arm64: 'qemu-aarch64' };

/** How the kernel knows programs of an architecture: the bytes of their ELF header, and which of them count. */
const headers: Readonly<Record<Architecture, readonly [magic: string, mask: string]>> = {
  amd64: [elfHeader(0x3e), elfMask()],
  arm64: [elfHeader(0xb7), elfMask()],
};

function elfHeader(machine: number): string {
  return escaped([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, ...Array<number>(8).fill(0), 2, 0, machine, 0]);
}

/** All but the byte of the operating system's interface, and shared objects as well as programs. */
function elfMask(): string {
  return escaped([255, 255, 255, 255, 255, 255, 255, 0, ...Array<number>(8).fill(255), 0xfe, 255, 255, 255]);
}

function escaped(bytes: readonly number[]): string {
  return bytes.map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}

/** Where the emulator is for a program in the tools root. */
const insideDirectory = '/emulator';

/** What a program in the tools root needs so that it can run those of another architecture. */
export interface Emulation {
  readonly mounts: Readonly<Record<string, string>>;
  /** In front of the program's argv. */
  readonly argv: readonly string[];
}

/** Nothing is needed for the machine's own architecture. */
export const noEmulation: Emulation = { mounts: {}, argv: [] };

/** What the kernel is told: by which bytes it knows a program, and what runs it. */
export function ruleOf(architecture: Architecture, emulator: string): string {
  const [magic, mask] = headers[architecture];
  // F: opened now, so that it is there in every root directory. P, O, C: it gets the program as the kernel would.
  return `:incusos-${architecture}:M::${magic}:${mask}:${emulator}:FPOC`;
}

/** @param packages of this machine's architecture. */
export async function emulationOf(architecture: Architecture, packages: PackageIndex): Promise<Emulation> {
  if (architecture === architectureOf(process.arch)) return noEmulation;
  const name = emulators[architecture];
  const directory = await cached(`qemu-${keyOf(name, packages.version('qemu-user'))}`, (partial) =>
    part(`emulator for ${architecture}`, async () => {
      const whole = join(partial, 'whole');
      mkdirSync(whole, { recursive: true });
      await packages.download('qemu-user', partial);
      const archive = readdirSync(partial).find((entry) => entry.endsWith('.deb')) ?? '';
      output(['dpkg-deb', '-x', join(partial, archive), whole]);
      cpSync(join(whole, 'usr/bin', name), join(partial, name));
      rmSync(whole, { recursive: true });
      rmSync(join(partial, archive));
    }),
  );
  const rule = ruleOf(architecture, `${insideDirectory}/${name}`);
  const script = [
    'set -e',
    'misc=/proc/sys/fs/binfmt_misc',
    'mount -t binfmt_misc binfmt_misc $misc',
    `[ -e $misc/incusos-${architecture} ] || printf %s "$1" >$misc/register`,
    'shift',
    'exec "$@"',
  ].join('\n');
  return { mounts: { [insideDirectory]: directory }, argv: ['sh', '-c', script, 'sh', rule] };
}
