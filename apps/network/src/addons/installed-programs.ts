import { type Host, programDirectories } from '@incusos/host';
import { DomainError } from '@incusos/service';

/**
 * The paths of programs that are no part of the image, such as those that an extension brings.
 * @param names of the programs, in the order of the answer.
 * @param needed the sentence's beginning, such as `Tailscale can't be enabled`.
 * @throws DomainError `PRECONDITION_FAILED` naming those that are missing, and where they were looked for.
 */
export async function installedPrograms<const Names extends readonly string[]>(
  host: Host,
  names: Names,
  needed: string,
): Promise<{ [Index in keyof Names]: string }> {
  const found = await Promise.all(names.map((name) => find(host, name)));
  const missing = names.filter((_name, index) => found[index] === undefined);
  if (missing.length > 0) {
    throw new DomainError(
      'PRECONDITION_FAILED',
      `${needed}: the ${missing.length === 1 ? 'program' : 'programs'} ${missing.join(' and ')} ` +
        `${missing.length === 1 ? "isn't" : "aren't"} installed (looked in ${programDirectories.join(', ')})`,
    );
  }
  return found as { [Index in keyof Names]: string };
}

async function find(host: Host, name: string): Promise<string | undefined> {
  for (const directory of programDirectories) {
    const path = `${directory}/${name}`;
    if (await host.files.exists(path)) return path;
  }
  return undefined;
}
