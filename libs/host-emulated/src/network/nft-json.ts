/** Reads transactions in libnftables' JSON form, as far as anything of ours could use it; the rest is refused. */
import { addChain, addRule, addTable, type NftStatement, type NftTable, tableOf } from './nft-tables.ts';

/** A change of the tables. */
export type NftCommand = (tables: NftTable[]) => void;

/** What libnftables says, a line for each level at which it gives up. */
export class NftSyntaxError extends Error {
  constructor(readonly lines: readonly string[]) {
    super(lines[0]);
  }
}

type JsonObject = Readonly<Record<string, unknown>>;

const families = ['inet', 'ip', 'ip6', 'bridge', 'arp', 'netdev'];
const hooks = ['prerouting', 'input', 'forward', 'output', 'postrouting'];

export function parseCommands(text: string): NftCommand[] {
  const whole: unknown = JSON.parse(text);
  const list = isObject(whole) ? whole['nftables'] : undefined;
  if (!Array.isArray(list)) throw new NftSyntaxError(["Invalid JSON schema: missing 'nftables' array."]);
  return list.flatMap((entry: unknown, index) =>
    within(`Parsing command array at index ${index} failed.`, () => parseCommand(entry)),
  );
}

function within<R>(line: string, parse: () => R): R {
  try {
    return parse();
  } catch (error) {
    throw error instanceof NftSyntaxError ? new NftSyntaxError([...error.lines, line]) : error;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function only(value: unknown): readonly [string, unknown] {
  const [entry] = isObject(value) ? Object.entries(value) : [];
  if (entry === undefined) throw new NftSyntaxError(['Invalid JSON object.']);
  return entry;
}

function text(object: unknown, key: string): string {
  const value = isObject(object) ? object[key] : undefined;
  if (typeof value !== 'string') throw new NftSyntaxError([`Object item not found: ${key}.`]);
  return value;
}

function parseCommand(entry: unknown): NftCommand[] {
  const [verb, what] = only(entry);
  if (verb === 'metainfo') return [];
  const [kind, object] = only(what);
  switch (verb) {
    case 'add':
      return [adding(kind, object)];
    case 'flush':
      return [flushing(kind, object)];
    case 'delete':
      return [deleting(kind, object)];
    default:
      throw new NftSyntaxError([`Unknown command object '${verb}'.`]);
  }
}

function familyOf(object: unknown): string {
  const family = text(object, 'family');
  if (!families.includes(family)) throw new NftSyntaxError([`Unknown family '${family}'.`]);
  return family;
}

function adding(kind: string, object: unknown): NftCommand {
  if (kind !== 'table' && kind !== 'chain' && kind !== 'rule')
    throw new NftSyntaxError(['Unknown object passed to add command.']);
  const family = familyOf(object);
  if (kind === 'table') {
    const name = text(object, 'name');
    return (tables) => addTable(tables, family, name);
  }
  const table = text(object, 'table');
  if (kind === 'rule') {
    const [chain, expr] = [text(object, 'chain'), isObject(object) ? object['expr'] : undefined];
    if (!Array.isArray(expr)) throw new NftSyntaxError(['Object item not found: expr.']);
    const statements = expr.map((statement: unknown, index) =>
      within(`Parsing expr array at index ${index} failed.`, () => parseStatement(statement)),
    );
    return (tables) => addRule(tableOf(tables, family, table), chain, statements);
  }
  const [name, type, hook] = [text(object, 'name'), text(object, 'type'), text(object, 'hook')];
  if (!hooks.includes(hook)) throw new NftSyntaxError([`Invalid chain hook '${hook}'.`]);
  const { prio = 0, policy = 'accept' } = isObject(object) ? object : {};
  if (typeof prio !== 'number' || (policy !== 'accept' && policy !== 'drop'))
    throw new NftSyntaxError([`Unknown policy '${String(policy)}'.`]);
  return (tables) => addChain(tableOf(tables, family, table), { name, type, hook, prio, policy });
}

function flushing(kind: string, object: unknown): NftCommand {
  if (kind === 'ruleset') return (tables) => void tables.splice(0);
  if (kind !== 'table') throw new NftSyntaxError(['Unknown object passed to flush command.']);
  const [family, name] = [familyOf(object), text(object, 'name')];
  return (tables) => {
    for (const { rules } of tableOf(tables, family, name).chains) rules.splice(0);
  };
}

function deleting(kind: string, object: unknown): NftCommand {
  if (kind !== 'table') throw new NftSyntaxError(['Unknown object passed to delete command.']);
  const [family, name] = [familyOf(object), text(object, 'name')];
  return (tables) => void tables.splice(tables.indexOf(tableOf(tables, family, name)), 1);
}

const verdicts: ReadonlySet<string> = new Set(['accept', 'drop', 'notrack']);

function parseStatement(value: unknown): NftStatement {
  const [kind, content] = only(value);
  if (kind === 'reject') return { reject: { type: 'icmpx', expr: 'port-unreachable' } };
  if (verdicts.has(kind)) return { [kind]: null };
  if (kind !== 'match') throw new NftSyntaxError([`Unknown statement object '${kind}'.`]);
  const { op, left, right } = isObject(content) ? content : {};
  if (typeof op !== 'string' || !['==', '!=', 'in'].includes(op))
    throw new NftSyntaxError([`Unknown relational op '${String(op)}'.`]);
  checkLeft(left);
  checkRight(right);
  // A list of one is listed as what is in it.
  return {
    match: { op, left, right: Array.isArray(right) && right.length === 1 ? (right[0] as unknown) : right },
  };
}

const metas = ['iifname', 'oifname', 'nfproto', 'l4proto'];
const fields: Readonly<Record<string, readonly string[]>> = {
  ether: ['saddr', 'daddr', 'type'],
  icmp: ['type', 'code'],
  icmpv6: ['type', 'code'],
  ip: ['saddr', 'daddr', 'protocol'],
  ip6: ['saddr', 'daddr', 'nexthdr'],
  tcp: ['sport', 'dport', 'flags'],
  udp: ['sport', 'dport'],
};

function checkLeft(left: unknown): void {
  const [kind, content] = only(left);
  if (kind === 'meta') {
    const key = text(content, 'key');
    if (!metas.includes(key)) throw new NftSyntaxError([`Unknown meta key '${key}'.`]);
  } else if (kind === 'ct') {
    const key = text(content, 'key');
    if (key !== 'state') throw new NftSyntaxError([`Unknown ct key '${key}'.`]);
  } else if (kind === 'payload') {
    const [protocol, field] = [text(content, 'protocol'), text(content, 'field')];
    const known = fields[protocol];
    if (known === undefined) throw new NftSyntaxError([`Unknown payload protocol '${protocol}'.`]);
    if (!known.includes(field)) throw new NftSyntaxError([`Unknown ${protocol} field '${field}'.`]);
  } else throw new NftSyntaxError([`Unknown expression type '${kind}'.`]);
}

function checkRight(right: unknown): void {
  if (typeof right === 'string' || typeof right === 'number') return;
  if (Array.isArray(right)) {
    right.forEach(checkRight);
    return;
  }
  const [kind, content] = only(right);
  if (kind === 'set') {
    checkRight(content);
    return;
  }
  if (kind !== 'prefix') throw new NftSyntaxError([`Unknown expression type '${kind}'.`]);
  text(content, 'addr');
  if (!isObject(content) || typeof content['len'] !== 'number')
    throw new NftSyntaxError(['Object item not found: len.']);
}
