/**
 * The parts of libnftables' JSON form (libnftables-json(5)) that our rules are made of. In this form a name is a value
 * and not text that is parsed, so that nothing in it can become a rule.
 */

export interface Table {
  readonly family: 'inet' | 'bridge';
  readonly name: string;
}

export interface Chain {
  readonly table: Table;
  readonly name: string;
  readonly hook: 'input' | 'forward' | 'prerouting' | 'postrouting';
  readonly priority: number;
}

export type Statement = Readonly<Record<string, unknown>>;
export type Rule = readonly Statement[];
export type Command = Readonly<Record<string, unknown>>;

export const accept: Statement = { accept: null };
export const drop: Statement = { drop: null };
export const notrack: Statement = { notrack: null };

/** The device that a packet came in by; devices that don't exist yet match once they do. */
export function entersBy(devices: readonly string[]): Statement {
  return match('==', { meta: { key: 'iifname' } }, anyOf(devices));
}

export function leavesBy(devices: readonly string[]): Statement {
  return match('==', { meta: { key: 'oifname' } }, anyOf(devices));
}

/** @param field of the protocol's header, as nft(8) calls it. */
export function header(
  protocol: string,
  field: string,
  value: unknown,
  operator: '==' | '!=' = '==',
): Statement {
  return match(operator, { payload: { protocol, field } }, value);
}

export function connectionIs(...states: readonly string[]): Statement {
  return match('in', { ct: { key: 'state' } }, states);
}

export function anyOf(values: readonly (string | number)[]): unknown {
  return values.length === 1 ? values[0] : { set: values };
}

/** An address, or one with a prefix length, of which nft takes the network. */
export function network(text: string): unknown {
  const [addr = '', length] = text.split('/');
  return length === undefined ? addr : { prefix: { addr, len: Number(length) } };
}

function match(op: '==' | '!=' | 'in', left: unknown, right: unknown): Statement {
  return { match: { op, left, right } };
}

export function addTable(table: Table): Command {
  return { add: { table } };
}

/** A chain that lets through what no rule decides. */
export function addChain({ table, name, hook, priority }: Chain): Command {
  const place = { family: table.family, table: table.name, name };
  return { add: { chain: { ...place, type: 'filter', hook, prio: priority, policy: 'accept' } } };
}

/** Removes the rules of every chain of a table; the chains stay. */
export function flushTable(table: Table): Command {
  return { flush: { table } };
}

export function addRule({ table, name }: Chain, expr: Rule): Command {
  return { add: { rule: { family: table.family, table: table.name, chain: name, expr } } };
}
