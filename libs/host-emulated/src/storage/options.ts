/** Reads short and long options as getopt(3) does for these tools; options come before operands. */
export interface ParsedOptions {
  readonly flags: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly operands: readonly string[];
  /** The option that isn't known, or lacks its argument. */
  readonly unknown: string | undefined;
}

/**
 * @param short as for getopt: a letter, followed by `:` when it takes a value.
 * @param long names without dashes; with a trailing `=` when it takes a value.
 */
export function parseOptions(
  args: readonly string[],
  short: string,
  long: readonly string[] = [],
): ParsedOptions {
  const flags = new Set<string>();
  const values = new Map<string, string[]>();
  const rest = [...args];
  const put = (name: string, value: string): void => {
    values.set(name, [...(values.get(name) ?? []), value]);
  };
  const stop = (unknown?: string): ParsedOptions => ({ flags, values, operands: rest, unknown });
  for (let arg = rest[0]; arg !== undefined && arg.startsWith('-') && arg !== '-'; arg = rest[0]) {
    rest.shift();
    if (arg === '--') return stop();
    if (arg.startsWith('--')) {
      const [name = '', inline] = arg.slice(2).split('=', 2);
      if (long.includes(name) && inline === undefined) flags.add(name);
      else if (long.includes(`${name}=`)) {
        const value = inline ?? rest.shift();
        if (value === undefined) return stop(arg);
        put(name, value);
      } else return stop(arg);
      continue;
    }
    for (let index = 1; index < arg.length; index += 1) {
      const letter = arg.charAt(index);
      const position = short.indexOf(letter);
      if (letter === ':' || position < 0) return stop(letter);
      if (short.charAt(position + 1) !== ':') {
        flags.add(letter);
        continue;
      }
      const attached = arg.slice(index + 1);
      const value = attached === '' ? rest.shift() : attached;
      if (value === undefined) return stop(letter);
      put(letter, value);
      break;
    }
  }
  return stop();
}
