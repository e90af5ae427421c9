/** The emulated `zfs`: datasets and their keys. */
import { toolJson } from '../../tools/tool-json.ts';
import { type Tool, type ToolCall, type ToolResult, failure } from '../../tools/tool.ts';
import { parseOptions } from '../options.ts';
import type { Dataset, Pool, StorageSection } from '../section.ts';
import { sizeBytes, sizeText } from '../size-text.ts';
import { readKey } from '../zpool/encryption.ts';
import { Refusal } from '../zpool/spec.ts';
import { allocated, deflatedSpaceOf } from '../zpool/vdevs.ts';
import { answer, changing } from '../zpool/zpool.ts';

interface Found {
  readonly pool: Pool;
  readonly dataset: Dataset;
}

function find(storage: Readonly<StorageSection>, name: string): Found {
  const pool = storage.pools.find((candidate) => candidate.imported && candidate.name === name.split('/')[0]);
  const dataset = pool?.datasets.find((candidate) => candidate.name === name);
  if (pool === undefined || dataset === undefined)
    throw new Refusal(`cannot open '${name}': dataset does not exist`);
  return { pool, dataset };
}

function parentOf(name: string): string {
  return name.slice(0, name.lastIndexOf('/'));
}

/** The dataset whose key encrypts this one, if any does. */
function encryptionRoot(pool: Pool, dataset: Dataset): Dataset | undefined {
  for (let current: Dataset | undefined = dataset; current !== undefined;) {
    const { encryption } = current.properties;
    if (encryption === 'off') return undefined;
    if (encryption !== undefined) return current;
    const above = parentOf(current.name);
    current = pool.datasets.find((candidate) => candidate.name === above);
  }
  return undefined;
}

interface Value {
  readonly value: string;
  readonly source: 'NONE' | 'DEFAULT' | 'LOCAL' | 'INHERITED';
  readonly from?: string;
}

/** Exit code where the tool hands on the -1 of its library. */
const handedOn = 255;

const sizes = ['quota', 'refquota', 'reservation', 'refreservation', 'special_small_blocks'];

function property(found: Found, name: string, parsable: boolean): Value {
  const { pool, dataset } = found;
  const root = encryptionRoot(pool, dataset);
  const used = pool.datasets
    .filter(({ name: other }) => other === dataset.name || other.startsWith(`${dataset.name}/`))
    .reduce((sum, { used: bytes }) => sum + bytes, 0);
  const size = pool.vdevs
    .filter((vdev) => vdev.class === 'normal')
    .reduce((sum, vdev) => sum + deflatedSpaceOf(vdev), 0);
  const free = Math.max(0, size - allocated(pool));
  switch (name) {
    case 'used':
      return { value: parsable ? String(used) : sizeText(used), source: 'NONE' };
    case 'available':
      return { value: parsable ? String(free) : sizeText(free), source: 'NONE' };
    case 'type':
      return { value: dataset.type.toLowerCase(), source: 'NONE' };
    case 'creation':
      return { value: String(Math.floor(dataset.created / 1000)), source: 'NONE' };
    case 'encryption':
      return { value: root?.properties['encryption'] ?? 'off', source: 'NONE' };
    case 'encryptionroot':
      return { value: root?.name ?? '-', source: 'NONE' };
    case 'keystatus':
      return {
        value: root === undefined ? '-' : root.key_loaded === true ? 'available' : 'unavailable',
        source: 'NONE',
      };
    case 'keyformat':
      return { value: root?.properties['keyformat'] ?? 'none', source: 'NONE' };
    case 'keylocation':
      return root === undefined || root === dataset
        ? {
            value: root?.properties['keylocation'] ?? 'none',
            source: root === undefined ? 'DEFAULT' : 'LOCAL',
          }
        : { value: 'none', source: 'DEFAULT' };
    default:
  }
  const own = dataset.properties[name];
  if (own !== undefined)
    return { value: sizes.includes(name) && !parsable ? sizeText(Number(own)) : own, source: 'LOCAL' };
  if (name !== 'special_small_blocks' && sizes.includes(name)) {
    return { value: parsable ? '0' : 'none', source: 'DEFAULT' };
  }
  for (let above = parentOf(dataset.name); above !== ''; above = parentOf(above)) {
    const inherited = pool.datasets.find((candidate) => candidate.name === above)?.properties[name];
    if (inherited !== undefined) return { value: inherited, source: 'INHERITED', from: above };
  }
  const defaults: Record<string, string> = {
    special_small_blocks: '0',
    compression: 'on',
    atime: 'on',
    mountpoint: `/${dataset.name}`,
    mounted: 'no',
    canmount: 'on',
  };
  const fallback = defaults[name];
  if (fallback !== undefined) return { value: fallback, source: 'DEFAULT' };
  if (name.includes(':')) return { value: '-', source: 'NONE' };
  throw new Refusal(`bad property list: invalid property '${name}'`);
}

function json(
  command: string,
  rows: readonly { found: Found; values: Record<string, Value> }[],
  asInt: boolean,
): string {
  const datasets = Object.fromEntries(
    rows.map(({ found: { pool, dataset }, values }) => [
      dataset.name,
      {
        name: dataset.name,
        type: dataset.type,
        pool: pool.name,
        createtxg: asInt ? 1 : '1',
        properties: Object.fromEntries(
          Object.entries(values).map(([name, { value, source, from }]) => [
            name,
            {
              value: asInt && /^\d+$/u.test(value) ? BigInt(value) : value,
              source: { type: source, data: from ?? '-' },
            },
          ]),
        ),
      },
    ]),
  );
  return `${toolJson({ output_version: { command, vers_major: 0, vers_minor: 1 }, datasets }, 2)}\n`;
}

function below(storage: Readonly<StorageSection>, names: readonly string[], depth: number): Found[] {
  const all = storage.pools
    .filter((pool) => pool.imported)
    .flatMap((pool) => pool.datasets.map((dataset) => ({ pool, dataset })));
  for (const name of names) find(storage, name);
  const chosen =
    names.length === 0
      ? all.filter(({ dataset }) => dataset.name.split('/').length <= depth + 1)
      : all.filter(({ dataset }) => names.some((name) => isBelow(dataset.name, name, depth)));
  return chosen.toSorted((a, b) => (a.dataset.name < b.dataset.name ? -1 : 1));
}

function isBelow(name: string, top: string, depth: number): boolean {
  if (name === top) return true;
  return name.startsWith(`${top}/`) && name.slice(top.length + 1).split('/').length <= depth;
}

function depthOf(options: ReturnType<typeof parseOptions>, names: readonly string[]): number {
  const given = options.values.get('d')?.at(-1);
  if (given !== undefined) return Number(given);
  return options.flags.has('r') || names.length === 0 ? Number.POSITIVE_INFINITY : 0;
}

function list(storage: StorageSection, args: readonly string[]): ToolResult {
  const options = parseOptions(args, 'Hprjd:o:t:s:S:', ['json', 'json-int']);
  if (options.unknown !== undefined) return failure(`invalid option '${options.unknown}'`, 2);
  const columns = (options.values.get('o')?.at(-1) ?? 'name,used,available,mountpoint').split(',');
  const asInt = options.flags.has('json-int');
  const parsable = options.flags.has('p') || asInt;
  const found = below(storage, options.operands, depthOf(options, options.operands));
  const valuesOf = (each: Found): Record<string, Value> =>
    Object.fromEntries(
      columns.filter((name) => name !== 'name').map((name) => [name, property(each, name, parsable)]),
    );
  if (options.flags.has('j') || options.flags.has('json')) {
    return {
      stdout: json(
        'zfs list',
        found.map((each) => ({ found: each, values: valuesOf(each) })),
        asInt,
      ),
    };
  }
  const rows = found.map((each) => {
    const values = valuesOf(each);
    return columns.map((name) => (name === 'name' ? each.dataset.name : (values[name]?.value ?? '-')));
  });
  if (rows.length === 0) return options.flags.has('H') ? {} : { stdout: 'no datasets available\n' };
  const shown = options.flags.has('H') ? rows : [columns.map((name) => name.toUpperCase()), ...rows];
  return { stdout: `${shown.map((row) => row.join(options.flags.has('H') ? '\t' : '  ')).join('\n')}\n` };
}

function get(storage: StorageSection, args: readonly string[]): ToolResult {
  const options = parseOptions(args, 'Hprjd:o:t:s:', ['json', 'json-int']);
  if (options.unknown !== undefined) return failure(`invalid option '${options.unknown}'`, 2);
  const [names, ...datasets] = options.operands;
  if (names === undefined) return failure('missing property argument', 2);
  const asInt = options.flags.has('json-int');
  const found = below(storage, datasets, depthOf(options, datasets));
  const rows = found.map((each) => ({
    found: each,
    values: Object.fromEntries(
      names.split(',').map((name) => [name, property(each, name, options.flags.has('p') || asInt)]),
    ),
  }));
  if (options.flags.has('j') || options.flags.has('json')) return { stdout: json('zfs get', rows, asInt) };
  const columns = (options.values.get('o')?.at(-1) ?? 'name,property,value,source').split(',');
  const lines = rows.flatMap(({ found: { dataset }, values }) =>
    Object.entries(values).map(([name, { value, source }]) => {
      const row: Record<string, string> = {
        name: dataset.name,
        property: name,
        value,
        source: source === 'NONE' ? '-' : source.toLowerCase(),
      };
      return columns.map((column) => row[column] ?? '-').join('\t');
    }),
  );
  return { stdout: `${lines.join('\n')}\n` };
}

function checked(name: string, value: string, dataset: string, doing: string): string {
  if (!sizes.includes(name)) return value;
  const bytes = sizeBytes(value);
  if (bytes === undefined) throw new Refusal(`${doing} '${dataset}': bad numeric value '${value}'`);
  return String(bytes);
}

function create(storage: StorageSection, args: readonly string[], now: number): ToolResult {
  const options = parseOptions(args, 'Pnpuvo:sb:V:');
  if (options.unknown !== undefined) return failure(`invalid option '${options.unknown}'`, 2);
  const [name] = options.operands;
  if (name === undefined) return failure(`missing filesystem argument`, 2);
  const [poolName] = name.split('/');
  const pool = storage.pools.find((candidate) => candidate.imported && candidate.name === poolName);
  const bad = /[^a-zA-Z0-9_.: /-]/u.exec(name)?.[0];
  if (bad !== undefined) throw new Refusal(`cannot create '${name}': invalid character '${bad}' in name`);
  if (pool === undefined) throw new Refusal(`cannot create '${name}': no such pool '${poolName ?? ''}'`);
  if (!pool.datasets.some((dataset) => dataset.name === parentOf(name)))
    throw new Refusal(`cannot create '${name}': parent does not exist`);
  if (pool.datasets.some((dataset) => dataset.name === name))
    throw new Refusal(`cannot create '${name}': dataset already exists`);
  const properties: Record<string, string> = {};
  for (const pair of options.values.get('o') ?? []) {
    const at = pair.indexOf('=');
    if (at < 0) return failure(`missing '=' for property=value argument`, 2);
    properties[pair.slice(0, at)] = checked(pair.slice(0, at), pair.slice(at + 1), name, 'cannot create');
  }
  const parent = pool.datasets.find((dataset) => dataset.name === parentOf(name));
  const root = parent === undefined ? undefined : encryptionRoot(pool, parent);
  if (properties['encryption'] === undefined && root !== undefined && root.key_loaded !== true) {
    throw new Refusal(`cannot create '${name}': encryption root's key is not loaded or provided`);
  }
  pool.datasets.push({ name, type: 'FILESYSTEM', created: now, properties, used: 98_304 });
  return {};
}

function destroy(storage: StorageSection, args: readonly string[]): ToolResult {
  const options = parseOptions(args, 'dfnprRv');
  if (options.unknown !== undefined) return failure(`invalid option '${options.unknown}'`, 2);
  const [name] = options.operands;
  if (name === undefined) return failure('missing dataset argument', 2);
  const { pool } = find(storage, name);
  if (!name.includes('/'))
    throw new Refusal(
      `cannot destroy '${name}': operation does not apply to pools\nuse 'zfs destroy -r ${name}' to destroy all datasets in the pool\nuse 'zpool destroy ${name}' to destroy the pool itself`,
    );
  const children = pool.datasets.filter((dataset) => dataset.name.startsWith(`${name}/`));
  if (children.length > 0 && !options.flags.has('r') && !options.flags.has('R')) {
    throw new Refusal(
      `cannot destroy '${name}': filesystem has children\nuse '-r' to destroy the following datasets:\n${children.map((child) => child.name).join('\n')}`,
    );
  }
  pool.datasets = pool.datasets.filter((dataset) => dataset.name !== name && !children.includes(dataset));
  return {};
}

function set(storage: StorageSection, args: readonly string[]): ToolResult {
  const pairs = args.filter((arg) => arg.includes('='));
  const name = args.find((arg) => !arg.includes('='));
  if (name === undefined || pairs.length === 0) return failure('missing arguments', 2);
  const { dataset } = find(storage, name);
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    const key = pair.slice(0, at);
    const value = checked(key, pair.slice(at + 1), name, 'cannot set property for');
    if (key === 'quota' && Number(value) > 0 && Number(value) < dataset.used) {
      throw new Refusal(
        `cannot set property for '${name}': size is less than current used or reserved space`,
        handedOn,
      );
    }
    dataset.properties[key] = value;
  }
  return {};
}

async function loadKey(
  storage: StorageSection,
  args: readonly string[],
  { files }: ToolCall,
): Promise<ToolResult> {
  const options = parseOptions(args, 'nraL:');
  if (options.unknown !== undefined) return failure(`invalid option '${options.unknown}'`, 2);
  const [name] = options.operands;
  if (name === undefined) return failure('Missing dataset or pool.', 2);
  const { pool, dataset } = find(storage, name);
  const root = encryptionRoot(pool, dataset);
  const onlyCheck = options.flags.has('n');
  const verified = (count: number): { stdout?: string } =>
    onlyCheck ? { stdout: `${count} / 1 key(s) successfully verified\n` } : {};
  const refused = (why: string): ToolResult => ({
    ...failure(`Key load error: ${why}`, handedOn),
    ...verified(0),
  });
  if (root === undefined) return refused(`'${name}' is not encrypted.`);
  if (root.key_loaded === true && !onlyCheck) return refused(`Key already loaded for '${name}'.`);
  const location = options.values.get('L')?.at(-1) ?? root.properties['keylocation'] ?? '';
  try {
    if ((await readKey(files, location, 'Key load error')) !== pool.key)
      return refused(`Incorrect key provided for '${name}'.`);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { ...failure(error.message, handedOn), ...verified(0) };
  }
  if (!onlyCheck) root.key_loaded = true;
  return verified(1);
}

/** Wraps the key of an open encryption root with another one. */
async function changeKey(
  storage: StorageSection,
  args: readonly string[],
  { files }: ToolCall,
): Promise<ToolResult> {
  const options = parseOptions(args, 'lio:');
  if (options.unknown !== undefined) return failure(`invalid option '${options.unknown}'`, 2);
  const [name] = options.operands;
  if (name === undefined) return failure('Missing dataset or pool.', 2);
  const { pool, dataset } = find(storage, name);
  const root = encryptionRoot(pool, dataset);
  if (root === undefined) throw new Refusal(`Key change error: '${name}' is not encrypted.`);
  if (root.key_loaded !== true) throw new Refusal(`Key change error: Key must be loaded.`);
  for (const pair of options.values.get('o') ?? []) {
    const at = pair.indexOf('=');
    if (!['keylocation', 'keyformat'].includes(pair.slice(0, at)))
      throw new Refusal(`Key change error: Only keyformat, keylocation and pbkdf2iters can be changed.`);
    root.properties[pair.slice(0, at)] = pair.slice(at + 1);
  }
  pool.key = await readKey(files, root.properties['keylocation'] ?? '', 'Key change error');
  return {};
}

function unloadKey(storage: StorageSection, args: readonly string[]): ToolResult {
  const [name = ''] = args.filter((arg) => !arg.startsWith('-'));
  const { pool, dataset } = find(storage, name);
  const root = encryptionRoot(pool, dataset);
  if (root?.key_loaded !== true) throw new Refusal(`Key unload error: Key already unloaded for '${name}'.`);
  root.key_loaded = false;
  return {};
}

function mount(storage: StorageSection, args: readonly string[]): ToolResult {
  const [name = ''] = args.filter((arg) => !arg.startsWith('-'));
  if (name === '') return {};
  const { pool, dataset } = find(storage, name);
  const root = encryptionRoot(pool, dataset);
  if (root !== undefined && root.key_loaded !== true)
    throw new Refusal(`cannot mount '${name}': encryption key not loaded`);
  return {};
}

export const zfs: Tool = (call) => {
  const [command = '', ...args] = call.args;
  switch (command) {
    case 'list':
      return answer(() => list(call.machine.read().storage, args));
    case 'get':
      return answer(() => get(call.machine.read().storage, args));
    case 'mount':
      return answer(() => mount(call.machine.read().storage, args));
    case 'unmount':
      return {};
    case 'create':
      return changing(call, (storage) => create(storage, args, Date.now()));
    case 'destroy':
      return changing(call, (storage) => destroy(storage, args));
    case 'set':
      return changing(call, (storage) => set(storage, args));
    case 'load-key':
      return changing(call, (storage) => loadKey(storage, args, call));
    case 'change-key':
      return changing(call, (storage) => changeKey(storage, args, call));
    case 'unload-key':
      return changing(call, (storage) => unloadKey(storage, args));
    default:
      return failure(
        command === ''
          ? 'missing command\nusage: zfs command args ...'
          : `unrecognized command '${command}'\nusage: zfs command args ...`,
        2,
      );
  }
};
