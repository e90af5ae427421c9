/** The kernel's packet filter: tables, chains and rules, and what changes them. */

/** A statement of a rule in libnftables' JSON form, such as `{"drop": null}`. */
export type NftStatement = Readonly<Record<string, unknown>>;

export interface NftRule {
  readonly handle: number;
  readonly expr: readonly NftStatement[];
}

export interface NftChain {
  readonly name: string;
  readonly handle: number;
  readonly type: string;
  readonly hook: string;
  readonly prio: number;
  readonly policy: string;
  readonly rules: NftRule[];
}

export interface NftTable {
  readonly family: string;
  readonly name: string;
  readonly handle: number;
  /** Handles of chains and rules count up from 1 in each table. */
  next_handle: number;
  readonly chains: NftChain[];
}

/** What the kernel says when it refuses a part of a transaction, of which nothing is done then. */
export class NftRefusal extends Error {}

const missing = 'No such file or directory';

export function tableOf(tables: readonly NftTable[], family: string, name: string): NftTable {
  const found = tables.find((table) => table.family === family && table.name === name);
  if (found === undefined) throw new NftRefusal(missing);
  return found;
}

export function addTable(tables: NftTable[], family: string, name: string): void {
  if (tables.some((table) => table.family === family && table.name === name)) return;
  const handle = 1 + Math.max(0, ...tables.map((table) => table.handle));
  tables.push({ family, name, handle, next_handle: 1, chains: [] });
}

export function addChain(table: NftTable, chain: Omit<NftChain, 'handle' | 'rules'>): void {
  const present = table.chains.find(({ name }) => name === chain.name);
  if (present === undefined) {
    table.chains.push({ ...chain, handle: table.next_handle, rules: [] });
    table.next_handle += 1;
    return;
  }
  const same = present.type === chain.type && present.hook === chain.hook && present.prio === chain.prio;
  // A chain stays where it was hooked in.
  if (!same) throw new NftRefusal('File exists');
}

export function addRule(table: NftTable, chain: string, expr: readonly NftStatement[]): void {
  const found = table.chains.find(({ name }) => name === chain);
  if (found === undefined) throw new NftRefusal(missing);
  // Each set without a name has a handle too.
  table.next_handle += expr.filter(hasSet).length;
  found.rules.push({ handle: table.next_handle, expr });
  table.next_handle += 1;
}

function hasSet(statement: NftStatement): boolean {
  return JSON.stringify(statement).includes('"right":{"set":');
}
