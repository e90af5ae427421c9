import { join, resolve } from 'node:path';

const top = join(import.meta.dirname, '../../..');

/** A path as typed: npm runs its scripts in the checkout and keeps in INIT_CWD where the person is. */
export function fromHere(path: string): string {
  return resolve(process.env['INIT_CWD'] ?? '.', path);
}

/** Where the machine is; `.incusos/vm` in the checkout, git-ignored, unless something else was typed. */
export function machineDirectory(typed: string | undefined): string {
  return typed === undefined ? join(top, '.incusos/vm') : fromHere(typed);
}
