/** The seed of a new machine: what the person brings, with the certificate of the client in `DIR/incus` unless that is theirs to seed. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { extract } from 'tar-stream';
import { text } from 'node:stream/consumers';
import { UserError } from '../../../image/tools/sentence.ts';

export type SeedFiles = Readonly<Record<string, string>>;

const seedName = /^[a-z-]+\.(?:json|ya?ml)$/u;

/** The seed files of a directory or a tar. @throws UserError when there are none. */
export async function readSeed(path: string): Promise<SeedFiles> {
  const files = statSync(path).isDirectory() ? ofDirectory(path) : await ofTar(path);
  if (Object.keys(files).length === 0)
    throw new UserError(`there are no seeds (*.yaml, *.yml, *.json) in ${path}.`);
  return files;
}

/** Whether a seed says itself whom the machine trusts. */
export function bringsIncusSeed(files: SeedFiles): boolean {
  return Object.keys(files).some((name) => /^incus\.(?:json|ya?ml)$/u.test(name));
}

/** What the machine gets: theirs, and `ours` where theirs has no word on it. */
export function mergedSeed(theirs: SeedFiles, ours: SeedFiles): SeedFiles {
  return bringsIncusSeed(theirs) ? theirs : { ...ours, ...theirs };
}

function ofDirectory(path: string): SeedFiles {
  const names = readdirSync(path).filter((name) => seedName.test(name));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(path, name), 'utf8')]));
}

async function ofTar(path: string): Promise<SeedFiles> {
  const files: Record<string, string> = {};
  const archive = extract();
  archive.end(readFileSync(path));
  try {
    for await (const entry of archive) {
      const name = entry.header.name.replace(/^\.\//u, '');
      const content = await text(entry);
      if (entry.header.type === 'file' && seedName.test(name)) files[name] = content;
    }
  } catch (error) {
    throw new UserError(
      `${path} is no tar of seeds: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
  return files;
}
