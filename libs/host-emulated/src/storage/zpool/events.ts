/** `zpool events -f`: what changed in the pools, as it changes. */
import { type ToolCall, type ToolResult, failure } from '../../tools/tool.ts';
import { parseOptions } from '../options.ts';
import type { Machine } from '../../machine/machine.ts';
import { followMappings } from '../mappings.ts';
import type { StorageSection } from '../section.ts';
import { nextChange, scanning, settle } from './clock.ts';
import { poolLeaves, stateOf } from './vdevs.ts';

/** One line a pool, which changes with what an event would be sent for. */
function fingerprint({ storage: section, security }: Readonly<Machine>, now: number): Map<string, string> {
  const storage = structuredClone<StorageSection>(section);
  followMappings({ storage, security });
  settle(storage, now);
  return new Map(
    storage.pools
      .filter((pool) => pool.imported)
      .map((pool) => [
        pool.name,
        JSON.stringify([
          poolLeaves(pool).map((leaf) => [
            leaf.guid,
            leaf.path,
            stateOf(storage, leaf),
            leaf.trim === undefined || now < leaf.trim.started + leaf.trim.duration,
            leaf.trim,
          ]),
          pool.scan,
          scanning(pool, now),
          pool.datasets,
          pool.properties,
        ]),
      ]),
  );
}

function stamp(now: number): string {
  const [, month, day, year, time] = /^\w+ (\w+) (\d+) (\d+) ([\d:]+)/u.exec(new Date(now).toString()) ?? [];
  return `${month ?? ''} ${day ?? ''} ${year ?? ''} ${time ?? ''}.${String(now % 1000).padStart(3, '0')}000000`;
}

export async function events({ args, machine, signal, write }: ToolCall): Promise<ToolResult> {
  const options = parseOptions(args.slice(1), 'vHfc');
  if (options.unknown !== undefined) return failure(`invalid option '${options.unknown}'`, 2);
  if (!options.flags.has('f')) return {};
  let known = fingerprint(machine.read(), Date.now());
  await new Promise<void>((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const look = (): void => {
      clearTimeout(timer);
      const now = Date.now();
      const described = machine.read();
      const seen = fingerprint(described, now);
      for (const [name, print] of seen) {
        const event = known.has(name)
          ? known.get(name) === print
            ? undefined
            : 'config_sync'
          : 'pool_import';
        if (event !== undefined) write(`${stamp(now)}\tsysevent.fs.zfs.${event}\n`);
      }
      for (const name of known.keys())
        if (!seen.has(name)) write(`${stamp(now)}\tsysevent.fs.zfs.pool_destroy\n`);
      known = seen;
      const next = nextChange(described.storage, now);
      if (next !== undefined) timer = setTimeout(look, next - now + 5).unref();
    };
    const watcher = machine.watch(look);
    look();
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        watcher.close();
        resolve();
      },
      { once: true },
    );
  });
  return {};
}
