/** Flags of programs written in Go, by the standard library's `flag` and by `pflag`. */

export interface FlagTable {
  /** Flags with a value. */
  readonly values: readonly string[];
  /** Switches, which take a value only by `=`. */
  readonly switches: readonly string[];
}

export interface ParsedFlags {
  readonly flags: ReadonlyMap<string, string>;
  readonly rest: readonly string[];
}

/** The arguments can't be understood; the message is the program's own. */
export class FlagError extends Error {
  override readonly name = 'FlagError';
}

/** As Go's `flag` reads them: one or two dashes, and the first argument that is no flag ends them. */
export function parseGoFlags(args: readonly string[], table: FlagTable): ParsedFlags {
  const flags = new Map<string, string>();
  let index = 0;
  for (; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    const match = /^--?([^-=][^=]*)(?:=(.*))?$/su.exec(arg);
    if (match === null) {
      if (arg === '--') index += 1;
      break;
    }
    const [, name = '', given] = match;
    if (table.switches.includes(name)) {
      if (given !== undefined && !/^(?:1|0|t|f|T|F|true|false|TRUE|FALSE|True|False)$/u.test(given))
        throw new FlagError(`invalid boolean value ${JSON.stringify(given)} for -${name}: parse error`);
      flags.set(name, given ?? 'true');
    } else if (table.values.includes(name)) {
      const value = given ?? args[(index += 1)];
      if (value === undefined) throw new FlagError(`flag needs an argument: -${name}`);
      flags.set(name, value);
    } else throw new FlagError(`flag provided but not defined: -${name}`);
  }
  return { flags, rest: args.slice(index) };
}

/** As `pflag` reads long ones: two dashes, anywhere among the arguments. */
export function parsePosixFlags(args: readonly string[], table: FlagTable): ParsedFlags {
  const flags = new Map<string, string>();
  const rest: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    const match = /^--([^=]+)(?:=(.*))?$/su.exec(arg);
    if (match === null) {
      if (arg.startsWith('-') && arg !== '-')
        throw new FlagError(`unknown shorthand flag: '${arg.slice(1, 2)}' in ${arg}`);
      rest.push(arg);
      continue;
    }
    const [, name = '', given] = match;
    if (table.switches.includes(name)) {
      if (given !== undefined && !/^(?:true|false)$/u.test(given)) {
        throw new FlagError(
          `invalid argument ${JSON.stringify(given)} for "--${name}" flag: strconv.ParseBool: parsing ${JSON.stringify(given)}: invalid syntax`,
        );
      }
      flags.set(name, given ?? 'true');
    } else if (table.values.includes(name)) {
      const value = given ?? args[(index += 1)];
      if (value === undefined) throw new FlagError(`flag needs an argument: --${name}`);
      flags.set(name, value);
    } else throw new FlagError(`unknown flag: --${name}`);
  }
  return { flags, rest };
}
