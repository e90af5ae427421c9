/** `zpool status`: the JSON form (OpenZFS 2.3, schema 0.1) and the text form. */
import { toolJson } from '../../tools/tool-json.ts';
import { type ToolResult, failure } from '../../tools/tool.ts';
import { pathId } from '../devices.ts';
import { parseOptions } from '../options.ts';
import type { Pool, Scan, StorageSection, Vdev, VdevClass } from '../section.ts';
import { scanning } from './clock.ts';
import {
  allocated,
  deflatedSpaceOf,
  poolLeaves,
  rootState,
  spaceOf,
  stateOf,
  vdevName,
  type VdevState,
} from './vdevs.ts';

type Json = Record<string, unknown>;

export function status(storage: Readonly<StorageSection>, args: readonly string[], now: number): ToolResult {
  const options = parseOptions(args, 'jpLPtvxgi', [
    'json',
    'json-int',
    'json-flat-vdevs',
    'json-pool-key-guid',
  ]);
  if (options.unknown !== undefined)
    return failure(
      `invalid option '${options.unknown}'\nusage:\n\tstatus [-DdegiLPpstvx] [-j [--json-int]] [pool] ...`,
      2,
    );
  const imported = storage.pools.filter((pool) => pool.imported);
  const missing = options.operands.find((name) => !imported.some((pool) => pool.name === name));
  if (missing !== undefined) return failure(`cannot open '${missing}': no such pool`);
  const shown = imported.filter(
    (pool) => options.operands.length === 0 || options.operands.includes(pool.name),
  );
  const chosen = shown.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  if (!options.flags.has('j') && !options.flags.has('json')) {
    return {
      stdout:
        chosen.length === 0
          ? 'no pools available\n'
          : chosen.map((pool) => text(storage, pool, now)).join('\n'),
    };
  }
  const asInt = options.flags.has('json-int');
  const pools = Object.fromEntries(
    chosen.map((pool) => [pool.name, poolJson(storage, pool, now, options.flags.has('t'))]),
  );
  const output = { output_version: { command: 'zpool status', vers_major: 0, vers_minor: 1 }, pools };
  return {
    stdout: `${toolJson(output, 2, (value) => (typeof value === 'number' && !asInt ? String(value) : value))}\n`,
  };
}

export function poolState(storage: Readonly<StorageSection>, pool: Pool): string {
  const state = rootState(storage, pool);
  return state === 'UNAVAIL' ? 'SUSPENDED' : state;
}

interface Reason {
  readonly status: string;
  readonly action: string;
  /** What has an article of its own. */
  readonly msgid?: string;
}

const taken: Reason = {
  status:
    'One or more devices has been taken offline by the administrator.\n\tSufficient replicas exist for the pool to continue functioning in a\n\tdegraded state.\n',
  action: "Online the device using 'zpool online' or replace the device with\n\t'zpool replace'.\n",
};
const reasons: Readonly<Record<string, Reason>> = {
  DEGRADED: {
    status:
      'One or more devices could not be used because the label is missing or\n\tinvalid.  Sufficient replicas exist for the pool to continue\n\tfunctioning in a degraded state.\n',
    action: "Replace the device using 'zpool replace'.\n",
    msgid: 'ZFS-8000-4J',
  },
  SUSPENDED: {
    status: 'One or more devices are faulted in response to IO failures.\n',
    action: "Make sure the affected devices are connected, then run 'zpool clear'.\n",
    msgid: 'ZFS-8000-HC',
  },
};

/** Why a pool is not as it should be; `undefined` for one that is. */
function reasonOf(storage: Readonly<StorageSection>, pool: Pool): Reason | undefined {
  const broken = poolLeaves(pool).filter((leaf) => stateOf(storage, leaf) !== 'ONLINE');
  const onlyTaken = broken.length > 0 && broken.every((leaf) => leaf.offline === true);
  const state = poolState(storage, pool);
  return state === 'DEGRADED' && onlyTaken ? taken : reasons[state];
}

function moreInfo({ msgid }: Reason): Json {
  return msgid === undefined ? {} : { moreinfo: `https://openzfs.github.io/openzfs-docs/msg/${msgid}` };
}

function poolJson(storage: Readonly<StorageSection>, pool: Pool, now: number, trim: boolean): Json {
  const state = poolState(storage, pool);
  const reason = reasonOf(storage, pool);
  const section = (vdevClass: VdevClass): Json =>
    Object.fromEntries(
      pool.vdevs
        .filter((vdev) => vdev.class === vdevClass)
        .map((vdev) => [vdevName(vdev), vdevJson(storage, pool, vdev, now, trim, true)]),
    );
  const root = {
    name: pool.name,
    vdev_type: 'root',
    guid: Number(pool.guid),
    class: 'normal',
    state: stateName(rootState(storage, pool)),
    alloc_space: allocated(pool),
    total_space: sum(pool, spaceOf),
    def_space: sum(pool, deflatedSpaceOf),
    read_errors: 0,
    write_errors: 0,
    checksum_errors: 0,
    vdevs: section('normal'),
  };
  const named = Object.entries({
    special: section('special'),
    logs: section('log'),
    l2cache: section('cache'),
  });
  return {
    name: pool.name,
    state,
    pool_guid: Number(pool.guid),
    txg: Math.floor(now / 5000) % 1_000_000,
    spa_version: 5000,
    zpl_version: 5,
    ...(reason === undefined ? {} : { ...reason, ...moreInfo(reason) }),
    ...(pool.scan === undefined ? {} : { scan_stats: scanJson(pool, pool.scan, now) }),
    vdevs: { [pool.name]: root },
    ...Object.fromEntries(named.filter(([, content]) => Object.keys(content).length > 0)),
    error_count: 0,
  };
}

function sum(pool: Pool, of: (vdev: Vdev) => number): number {
  return pool.vdevs.filter((vdev) => vdev.class === 'normal').reduce((total, vdev) => total + of(vdev), 0);
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}

function scanJson(pool: Pool, scan: Scan, now: number): Json {
  const running = scanning(pool, now);
  const until = scan.canceled ?? Math.min(now, scan.started + scan.duration);
  const total = allocated(pool);
  const examined = Math.round(total * Math.min(1, (until - scan.started) / scan.duration));
  return {
    function: scan.function,
    state: running ? 'SCANNING' : scan.canceled === undefined ? 'FINISHED' : 'CANCELED',
    start_time: seconds(scan.started),
    end_time: running ? 0 : seconds(until),
    to_examine: total,
    examined,
    skipped: 0,
    processed: scan.function === 'RESILVER' ? examined : 0,
    errors: scan.errors,
    bytes_per_scan: examined,
    pass_start: seconds(scan.started),
    scrub_pause: 0,
    scrub_spent_paused: 0,
    issued_bytes_per_scan: examined,
    issued: examined,
  };
}

function vdevJson(
  storage: Readonly<StorageSection>,
  pool: Pool,
  vdev: Vdev,
  now: number,
  trim: boolean,
  top: boolean,
): Json {
  const state = stateOf(storage, vdev);
  const faulted = state === 'FAULTED';
  const leaf = vdev.type === 'disk';
  const first = pool.vdevs.find((candidate) => candidate.class === 'normal');
  return {
    name: vdevName(vdev),
    vdev_type: vdev.type,
    guid: Number(vdev.guid),
    ...(leaf ? { path: vdev.path, ...placeOf(storage, vdev) } : {}),
    class: vdev.class === 'cache' ? 'l2cache' : vdev.class,
    state: stateName(state),
    ...(top
      ? {
          // Of nothing there is no count. What is in the pool is put down to the first of its vdevs.
          ...(vdev === first ? { alloc_space: allocated(pool) } : {}),
          total_space: spaceOf(vdev),
          ...(vdev.class === 'cache' ? {} : { def_space: deflatedSpaceOf(vdev) }),
        }
      : {}),
    rep_dev_size: leaf ? (vdev.size ?? 0) : spaceOf(vdev),
    phys_space: leaf && state !== 'UNAVAIL' ? (vdev.size ?? 0) : undefined,
    read_errors: faulted ? 12 : 0,
    write_errors: faulted ? 180 : 0,
    checksum_errors: 0,
    ...(leaf ? { slow_ios: 0 } : {}),
    ...(vdev.not_present === true
      ? { not_present: 1, was: vdev.path }
      : faulted
        ? { aux: 'too many errors' }
        : state === 'UNAVAIL' && leaf && vdev.lost !== true
          ? { aux: 'corrupted data' }
          : {}),
    ...(vdev.removing_until === undefined ? {} : { removing: 1 }),
    ...(leaf && trim ? trimJson(vdev, now) : {}),
    ...(leaf
      ? {}
      : {
          vdevs: Object.fromEntries(
            vdev.children.map((child) => [vdevName(child), vdevJson(storage, pool, child, now, trim, false)]),
          ),
        }),
  };
}

/** Where udev says that the drive is, or was; a partition that was given as such has no place of its own. */
function placeOf(storage: Readonly<StorageSection>, { path, whole_disk }: Vdev): Json {
  if (whole_disk !== true) return {};
  const drive = storage.drives.find(({ id }) => path === `/dev/disk/by-id/${id}-part1`);
  return drive === undefined ? {} : { phys_path: pathId(storage, drive), devid: `${drive.id}-part1` };
}

/** In JSON the states have the names of the kernel. */
function stateName(state: VdevState): string {
  return state === 'UNAVAIL' ? 'CANT_OPEN' : state;
}

function trimJson({ trim, size = 0, not_present }: Vdev, now: number): Json {
  if (not_present === true) return { trim_notsup: 1 };
  if (trim === undefined) return { trim_state: 'UNTRIMMED', trim_notsup: 0 };
  const until = trim.canceled ?? Math.min(now, trim.started + trim.duration);
  const done = Math.min(1, (until - trim.started) / trim.duration);
  return {
    trim_state: trim.canceled !== undefined ? 'CANCELED' : done < 1 ? 'ACTIVE' : 'COMPLETE',
    trimmed: Math.round(size * done),
    to_trim: size,
    trim_time: seconds(trim.canceled ?? (done < 1 ? trim.started : trim.started + trim.duration)),
    trim_errors: 0,
    trim_notsup: 0,
  };
}

function text(storage: Readonly<StorageSection>, pool: Pool, now: number): string {
  const state = poolState(storage, pool);
  const reason = reasonOf(storage, pool);
  const lines = [`  pool: ${pool.name}`, ` state: ${state}`];
  if (reason !== undefined)
    lines.push(
      `status: ${reason.status.trimEnd()}`,
      `action: ${reason.action.trimEnd()}`,
      ...(reason.msgid === undefined
        ? []
        : [`   see: https://openzfs.github.io/openzfs-docs/msg/${reason.msgid}`]),
    );
  if (pool.scan !== undefined) lines.push(`  scan: ${scanText(pool, now)}`);
  const rows: [number, string, string][] = [[0, pool.name, rootState(storage, pool)]];
  const add = (vdev: Vdev, depth: number): void => {
    rows.push([depth, vdevName(vdev), stateOf(storage, vdev)]);
    for (const child of vdev.children) add(child, depth + 1);
  };
  for (const vdevClass of ['normal', 'special', 'log', 'cache'] as const) {
    const members = pool.vdevs.filter((vdev) => vdev.class === vdevClass);
    if (vdevClass !== 'normal' && members.length > 0)
      rows.push([0, vdevClass === 'log' ? 'logs' : vdevClass, '']);
    for (const vdev of members) add(vdev, 1);
  }
  const width = Math.max(...rows.map(([depth, name]) => depth * 2 + name.length));
  const table = rows.map(
    ([depth, name, shown]) =>
      `\t${`${'  '.repeat(depth)}${name}`.padEnd(width)}${shown === '' ? '' : `  ${shown.padEnd(8)}      0     0     0`}`,
  );
  lines.push(
    'config:',
    '',
    `\t${'NAME'.padEnd(width)}  STATE     READ WRITE CKSUM`,
    ...table,
    '',
    'errors: No known data errors',
  );
  return `${lines.join('\n')}\n`;
}

function scanText(pool: Pool, now: number): string {
  const { scan } = pool;
  if (scan === undefined) return 'none requested';
  const word = scan.function === 'SCRUB' ? 'scrub' : 'resilver';
  if (scanning(pool, now)) return `${word} in progress since ${new Date(scan.started).toUTCString()}`;
  if (scan.canceled !== undefined) return `${word} canceled on ${new Date(scan.canceled).toUTCString()}`;
  const repaired = scan.function === 'SCRUB' ? 'scrub repaired 0B' : 'resilvered 0B';
  return `${repaired} in 00:00:0${Math.min(9, seconds(scan.duration))} with 0 errors on ${new Date(scan.started + scan.duration).toUTCString()}`;
}
