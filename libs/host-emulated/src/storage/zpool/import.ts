/** `zpool import` and `export`. */
import type { Files } from '@incusos/host';
import { type ToolResult, failure } from '../../tools/tool.ts';
import { findDevice } from '../devices.ts';
import { parseOptions } from '../options.ts';
import type { Pool, StorageSection } from '../section.ts';
import { readKey } from './encryption.ts';
import { Refusal } from './spec.ts';
import { poolLeaves, rootState, stateOf, vdevName } from './vdevs.ts';

function importable(storage: Readonly<StorageSection>): Pool[] {
  return storage.pools.filter(
    (pool) => !pool.imported && poolLeaves(pool).some((leaf) => present(storage, leaf.path, leaf.guid)),
  );
}

function present(storage: Readonly<StorageSection>, path: string | undefined, guid: string): boolean {
  return path !== undefined && findDevice(storage, path)?.partition?.zfs_label === guid;
}

function nameTaken(name: string): string {
  return `cannot import '${name}': a pool with that name already exists\nuse the form 'zpool import <pool | id> <newpool>' to give it a new name`;
}

export async function importPool(
  storage: StorageSection,
  args: readonly string[],
  files: Files,
): Promise<ToolResult> {
  const options = parseOptions(args, 'aflmNFnXDd:o:R:c:st');
  if (options.unknown !== undefined) return failure(`invalid option '${options.unknown}'`, 2);
  const found = importable(storage);
  const [name, newName] = options.operands;
  if (name === undefined && !options.flags.has('a')) {
    return found.length === 0
      ? failure('no pools available to import')
      : { stdout: found.map((pool) => listing(storage, pool)).join('\n') };
  }
  const matching =
    name === undefined ? found : found.filter((pool) => pool.name === name || pool.guid === name);
  if (matching.length === 0) {
    if (name === undefined) return {};
    // The labels of a pool that is in use are found as well.
    if (storage.pools.some((pool) => pool.imported && pool.name === name)) throw new Refusal(nameTaken(name));
    return failure(`cannot import '${name}': no such pool available`);
  }
  if (matching.length > 1 && name !== undefined) {
    return failure(`cannot import '${name}': more than one matching pool\nimport by numeric ID instead`);
  }
  for (const pool of matching) {
    const wanted = newName ?? pool.name;
    if (storage.pools.some((other) => other.imported && other.name === wanted)) {
      throw new Refusal(nameTaken(wanted));
    }
    for (const leaf of poolLeaves(pool)) {
      delete leaf.lost;
      if (present(storage, leaf.path, leaf.guid)) delete leaf.not_present;
      else leaf.not_present = true;
    }
    if (rootState(storage, pool) === 'UNAVAIL') {
      throw new Refusal(`cannot import '${pool.name}': one or more devices is currently unavailable`);
    }
    pool.imported = true;
    pool.name = wanted;
    const [root] = pool.datasets;
    if (root !== undefined && pool.key !== undefined) {
      root.key_loaded = false;
      if (options.flags.has('l')) {
        const key = await readKey(
          files,
          root.properties['keylocation'] ?? '',
          `Failed to load key for '${pool.name}'`,
        );
        if (key === pool.key) root.key_loaded = true;
      }
    }
  }
  return {};
}

function listing(storage: Readonly<StorageSection>, pool: Pool): string {
  const view = structuredClone(pool);
  for (const leaf of poolLeaves(view)) if (!present(storage, leaf.path, leaf.guid)) leaf.not_present = true;
  const state = rootState(storage, view);
  const rows = view.vdevs.flatMap((vdev) => [
    `\t  ${vdevName(vdev)}  ${stateOf(storage, vdev)}`,
    ...vdev.children.map((child) => `\t    ${vdevName(child)}  ${stateOf(storage, child)}`),
  ]);
  const action =
    state === 'UNAVAIL'
      ? 'The pool cannot be imported. Attach the missing\n\tdevices and try again.'
      : 'The pool can be imported using its name or numeric identifier.';
  return `   pool: ${pool.name}\n     id: ${pool.guid}\n  state: ${state}\n action: ${action}\n config:\n\n\t${pool.name}  ${state}\n${rows.join('\n')}\n`;
}

export function exportPool(
  _storage: StorageSection,
  args: readonly string[],
  openPool: (name: string) => Pool,
): ToolResult {
  const options = parseOptions(args, 'aF f');
  if (options.unknown !== undefined) return failure(`invalid option '${options.unknown}'`, 2);
  if (options.operands.length === 0) return failure('missing pool argument', 2);
  for (const name of options.operands) {
    const pool = openPool(name);
    pool.imported = false;
    for (const dataset of pool.datasets) delete dataset.key_loaded;
  }
  return {};
}
