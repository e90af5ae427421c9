/** `zpool list`, `get` and `set`. */
import { type ToolResult, failure } from '../../tools/tool.ts';
import { parseOptions } from '../options.ts';
import type { Pool, StorageSection } from '../section.ts';
import { sizeText } from '../size-text.ts';
import { poolState } from './status.ts';
import { allocated, expand, poolLeaves, spaceOf } from './vdevs.ts';

type OpenPool = (name: string) => Pool;

function property(storage: Readonly<StorageSection>, pool: Pool, name: string): string | undefined {
  const size = pool.vdevs
    .filter((vdev) => vdev.class === 'normal')
    .reduce((total, vdev) => total + spaceOf(vdev), 0);
  switch (name) {
    case 'name':
      return pool.name;
    case 'size':
      return String(size);
    case 'allocated':
    case 'alloc':
      return String(allocated(pool));
    case 'free':
      return String(size - allocated(pool));
    case 'health':
      return poolState(storage, pool);
    case 'guid':
      return pool.guid;
    case 'autoexpand':
      return pool.properties[name] ?? 'off';
    case 'ashift':
      return pool.properties[name] ?? '0';
    default:
      return pool.properties[name];
  }
}

export function list(storage: Readonly<StorageSection>, args: readonly string[]): ToolResult {
  const options = parseOptions(args, 'HpPvLgo:jT:', ['json-int']);
  if (options.unknown !== undefined) return failure(`invalid option '${options.unknown}'`, 2);
  const columns = (options.values.get('o')?.at(-1) ?? 'name,size,allocated,free,health').split(',');
  const pools = storage.pools.filter(
    (pool) => pool.imported && (options.operands.length === 0 || options.operands.includes(pool.name)),
  );
  const missing = options.operands.find((name) => !pools.some((pool) => pool.name === name));
  if (missing !== undefined) return failure(`cannot open '${missing}': no such pool`);
  const parsable = options.flags.has('p') || options.flags.has('j');
  const shownAs = (column: string, value: string): string =>
    !parsable && ['size', 'allocated', 'alloc', 'free'].includes(column) ? sizeText(Number(value)) : value;
  const rows = pools.map((pool) =>
    columns.map((column) => shownAs(column, property(storage, pool, column) ?? '-')),
  );
  if (options.flags.has('j')) {
    const entries = pools.map((pool) => [
      pool.name,
      {
        name: pool.name,
        type: 'POOL',
        state: poolState(storage, pool),
        pool_guid: pool.guid,
        properties: Object.fromEntries(
          columns
            .filter((column) => column !== 'name')
            .map((column) => [
              column,
              { value: property(storage, pool, column) ?? '-', source: { type: 'NONE', data: '-' } },
            ]),
        ),
      },
    ]);
    return {
      stdout: `${JSON.stringify({ output_version: { command: 'zpool list', vers_major: 0, vers_minor: 1 }, pools: Object.fromEntries(entries) as unknown }, undefined, 2)}\n`,
    };
  }
  if (pools.length === 0) return { stdout: options.flags.has('H') ? '' : 'no pools available\n' };
  const shown = options.flags.has('H') ? rows : [columns.map((column) => column.toUpperCase()), ...rows];
  return { stdout: `${shown.map((row) => row.join(options.flags.has('H') ? '\t' : '  ')).join('\n')}\n` };
}

export function get(
  storage: Readonly<StorageSection>,
  args: readonly string[],
  openPool: OpenPool,
): ToolResult {
  const options = parseOptions(args, 'Hpo:');
  if (options.unknown !== undefined) return failure(`invalid option '${options.unknown}'`, 2);
  const [names = '', ...pools] = options.operands;
  if (names === '' || pools.length === 0) return failure('missing property argument', 2);
  const columns = (options.values.get('o')?.at(-1) ?? 'name,property,value,source').split(',');
  const lines = pools.flatMap((poolName) =>
    names.split(',').map((name) => {
      const value = property(storage, openPool(poolName), name) ?? '-';
      const row: Record<string, string> = { name: poolName, property: name, value, source: '-' };
      return columns.map((column) => row[column] ?? '-').join('\t');
    }),
  );
  return { stdout: `${lines.join('\n')}\n` };
}

const settable = ['autoexpand', 'autoreplace', 'autotrim', 'comment', 'failmode', 'cachefile'];

export function set(storage: StorageSection, args: readonly string[], openPool: OpenPool): ToolResult {
  const [pair, poolName] = args;
  if (pair === undefined || poolName === undefined) return failure('missing property=value argument', 2);
  const at = pair.indexOf('=');
  const name = at < 0 ? pair : pair.slice(0, at);
  if (at < 0) return failure('missing value in property=value argument', 2);
  const pool = openPool(poolName);
  if (!settable.includes(name) && !name.includes(':'))
    return failure(`cannot set property for '${poolName}': invalid property '${name}'`);
  pool.properties[name] = pair.slice(at + 1);
  if (pool.properties['autoexpand'] === 'on') for (const leaf of poolLeaves(pool)) expand(storage, leaf);
  return {};
}
