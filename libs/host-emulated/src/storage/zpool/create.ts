/** `zpool create`, `add` and `destroy`. */
import type { Files } from '@incusos/host';
import { type ToolResult, failure } from '../../tools/tool.ts';
import { parseOptions } from '../options.ts';
import type { Pool, StorageSection } from '../section.ts';
import { sizeBytes } from '../size-text.ts';
import { dropLabel } from './clock.ts';
import { encryptionFrom } from './encryption.ts';
import { Refusal, checkSpec, readGroups, takeGroups } from './spec.ts';
import { newGuid, poolLeaves, findVdev } from './vdevs.ts';

const reserved = ['mirror', 'raidz', 'draid', 'spare', 'log'];

function pairs(values: readonly string[] | undefined): Record<string, string> {
  return Object.fromEntries(
    (values ?? []).map((pair) => {
      const at = pair.indexOf('=');
      if (at < 0) throw new Refusal(`missing '=' for -o option`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

function checkName(name: string): void {
  if (name.includes('/'))
    throw new Refusal(
      `cannot create '${name}': invalid character '/' in pool name\nuse 'zfs create' to create a dataset`,
    );
  if (!/^[a-zA-Z][a-zA-Z0-9_.: -]*$/u.test(name)) {
    const bad = /[^a-zA-Z0-9_.: -]/u.exec(name)?.[0];
    throw new Refusal(
      bad === undefined
        ? `cannot create '${name}': name must begin with a letter`
        : `cannot create '${name}': invalid character '${bad}' in pool name\npool name may have been omitted`,
    );
  }
  if (reserved.some((word) => name === word || (word !== 'log' && name.startsWith(word)))) {
    throw new Refusal(`cannot create '${name}': name is reserved\npool name may have been omitted`);
  }
}

export async function create(
  storage: StorageSection,
  args: readonly string[],
  files: Files,
  now: number,
): Promise<ToolResult> {
  const options = parseOptions(args, 'fndo:O:R:m:t:');
  if (options.unknown !== undefined) return failure(`invalid option '${options.unknown}'`, 2);
  const [name, ...spec] = options.operands;
  if (name === undefined) return failure('missing pool name argument', 2);
  if (spec.length === 0) return failure('missing vdev specification', 2);
  checkName(name);
  const properties = pairs(options.values.get('o'));
  const ashift = Number(properties['ashift'] ?? '0');
  if (ashift !== 0 && !(ashift >= 9 && ashift <= 16)) {
    throw new Refusal(
      `invalid 'ashift=${properties['ashift'] ?? ''}' property: only values between 9 and 16 are allowed.`,
    );
  }
  const groups = readGroups(spec);
  if (!groups.some((group) => group.class === 'normal'))
    throw new Refusal('invalid vdev specification: at least one toplevel vdev must be specified');
  checkSpec(storage, groups, options.flags.has('f'), `cannot create '${name}'`);
  if (storage.pools.some((pool) => pool.imported && pool.name === name))
    throw new Refusal(`cannot create '${name}': pool already exists`);
  const datasetProperties = pairs(options.values.get('O'));
  const smallBlocks = sizeBytes(datasetProperties['special_small_blocks'] ?? '0');
  if (smallBlocks === undefined) throw new Refusal(`cannot create '${name}': bad numeric value`);
  if (smallBlocks > 0) datasetProperties['special_small_blocks'] = String(smallBlocks);
  const key = await encryptionFrom(files, name, datasetProperties);
  if (options.flags.has('n')) return {};
  for (const old of storage.pools.filter(
    (pool) => !pool.imported && poolLeaves(pool).some((leaf) => spec.includes(leaf.path ?? '')),
  )) {
    storage.pools.splice(storage.pools.indexOf(old), 1);
  }
  const root = {
    name,
    type: 'FILESYSTEM' as const,
    created: now,
    properties: datasetProperties,
    used: 98_304,
    ...(key === undefined ? {} : { key_loaded: true }),
  };
  const pool: Pool = {
    name,
    guid: newGuid(),
    imported: true,
    properties,
    vdevs: [],
    next_vdev_id: 0,
    datasets: [root],
    ...(key === undefined ? {} : { key }),
  };
  takeGroups(storage, pool, groups);
  storage.pools.push(pool);
  return {};
}

export function add(
  storage: StorageSection,
  args: readonly string[],
  openPool: (name: string) => Pool,
): ToolResult {
  const options = parseOptions(args, 'fgLnPo:', [
    'allow-in-use',
    'allow-replication-mismatch',
    'allow-ashift-mismatch',
  ]);
  if (options.unknown !== undefined) return failure(`invalid option '${options.unknown}'`, 2);
  const [name, ...spec] = options.operands;
  if (name === undefined) return failure('missing pool name argument', 2);
  if (spec.length === 0) return failure('missing vdev specification', 2);
  const pool = openPool(name);
  const groups = readGroups(spec);
  checkSpec(storage, groups, options.flags.has('f'), `cannot add to '${name}'`, pool);
  takeGroups(storage, pool, groups);
  return {};
}

export function destroy(
  storage: StorageSection,
  args: readonly string[],
  openPool: (name: string) => Pool,
): ToolResult {
  const options = parseOptions(args, 'f');
  if (options.unknown !== undefined) return failure(`invalid option '${options.unknown}'`, 2);
  const [name] = options.operands;
  if (name === undefined) return failure('missing pool argument', 2);
  const pool = openPool(name);
  for (const leaf of poolLeaves(pool)) dropLabel(storage, leaf);
  storage.pools.splice(storage.pools.indexOf(pool), 1);
  return {};
}

export function labelclear(storage: StorageSection, args: readonly string[]): ToolResult {
  const options = parseOptions(args, 'f');
  if (options.unknown !== undefined) return failure(`invalid option '${options.unknown}'`, 2);
  const [path] = options.operands;
  if (path === undefined) return failure('missing vdev name', 2);
  const pool = storage.pools.find(
    (candidate) => candidate.imported && findVdev(candidate, path) !== undefined,
  );
  if (pool !== undefined) return failure(`${path} is a member (ACTIVE) of pool "${pool.name}"`);
  for (const drive of storage.drives) {
    for (const partition of drive.partitions) {
      if (path.endsWith(`${drive.id}-part${partition.number}`) && partition.zfs_label !== undefined) {
        delete partition.zfs_label;
        return {};
      }
    }
  }
  return failure(`failed to read label from ${path}`);
}
