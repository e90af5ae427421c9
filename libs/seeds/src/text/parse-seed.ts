/** Turns the text of a seed into its message. */
import {
  emptyOf,
  FieldError,
  fromRest,
  JsonError,
  parseRestJson,
  type Structure,
} from '@incusos/contracts/rest';
import * as structures from '@incusos/contracts/rest/seeds';
import type { SeedFile } from '../medium/seed-medium.ts';
import { SeedError } from '../seed-error.ts';
import type { SeedMessages, SeedName } from '../seed-names.ts';

const structureOf: { readonly [N in SeedName]: Structure<SeedMessages[N]> } = {
  applications: structures.Applications,
  incus: structures.Incus,
  install: structures.Install,
  kernel: structures.Kernel,
  'migration-manager': structures.MigrationManager,
  network: structures.Network,
  'operations-center': structures.OperationsCenter,
  provider: structures.Provider,
  security: structures.Security,
  services: structures.Services,
  storage: structures.Storage,
  update: structures.Update,
};

/**
 * What a seed's file says.
 * @throws SeedError
 */
export async function parseSeed<N extends SeedName>(name: N, file: SeedFile): Promise<SeedMessages[N]> {
  const structure: Structure<SeedMessages[N]> = structureOf[name];
  const value = await parseText(structure, file);
  if (value === undefined) {
    // Whoever only wants to install says so by the file being there.
    if (name === 'install') return emptyOf(structure);
    throw new SeedError(file.name, '', 'unexpected end of file');
  }
  const message = decode(structure, value, file);
  if (name === 'security') refuseRecoveryKeys(message as SeedMessages['security'], file);
  return message;
}

/** `undefined` when the file says nothing. */
async function parseText(structure: Structure, { name, content }: SeedFile): Promise<unknown> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch (error) {
    throw new SeedError(name, '', 'is not text in UTF-8', { cause: error });
  }
  if (text.trim() === '') return undefined;
  if (!name.endsWith('.json')) {
    const { parseYaml } = await import('./parse-yaml.ts');
    return parseYaml(structure, text, name);
  }
  try {
    return parseRestJson(text);
  } catch (error) {
    if (error instanceof JsonError) throw new SeedError(name, '', error.message, { cause: error });
    throw error;
  }
}

function decode<T extends object>(structure: Structure<T>, value: unknown, { name }: SeedFile): T {
  try {
    return fromRest(structure, value, { unknownKeys: 'reject' });
  } catch (error) {
    if (error instanceof FieldError) throw new SeedError(name, error.field, error.reason, { cause: error });
    throw error;
  }
}

/** They would stay readable on the seed's medium for ever. */
function refuseRecoveryKeys(message: SeedMessages['security'], { name }: SeedFile): void {
  if (message.encryption_recovery_keys.length === 0) return;
  throw new SeedError(name, '', 'it is not possible to set encryption recovery key(s) via the security seed');
}
