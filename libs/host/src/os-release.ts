/** What the running operating system says it is: os-release(5), shell-like assignments. */
import type { Files } from './files.ts';

/**
 * The variables of the running system, from the first of the two places that has them.
 * @throws NodeJS.ErrnoException when neither has.
 */
export async function readOsRelease(files: Files): Promise<ReadonlyMap<string, string>> {
  const text = await files.readText('/etc/os-release').catch(() => files.readText('/usr/lib/os-release'));
  return parseOsRelease(text);
}

/** The variables of an os-release file; lines that are none are left out. */
export function parseOsRelease(text: string): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^\s*([A-Z0-9_]+)=(.*?)\s*$/u.exec(line);
    if (match?.[1] !== undefined) variables.set(match[1], unquote(match[2] ?? ''));
  }
  return variables;
}

function unquote(value: string): string {
  const quoted = /^(["'])(.*)\1$/u.exec(value);
  if (quoted === null) return value;
  const inside = quoted[2] ?? '';
  return quoted[1] === '"' ? inside.replaceAll(/\\([\\"$`])/gu, '$1') : inside;
}
