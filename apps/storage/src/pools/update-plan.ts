/**
 * Plans the change from a pool as it is to a pool as it is asked for. Pure: the plan is a list of steps, and a request
 * that can't be planned is refused with a reason before any step is taken.
 *
 * The lists of a request are compared with the current ones by position. Invariants: a member leaves the pool only if
 * its position holds another device or an empty text; no device is used twice; nothing that is a member already is
 * written to.
 */
import { type PoolType, logType, vdevWords } from './pool-layout.ts';
import type { Violation } from './pool-rules.ts';
import type { MemberRole } from './zpool-status.ts';

export interface CurrentMember {
  readonly device: string;
  /** How `zpool` commands call it. */
  readonly handle: string;
  readonly online: boolean;
  /** It was taken offline, rather than having broken. */
  readonly offline: boolean;
  readonly group: string | undefined;
}

export interface CurrentList {
  readonly type: PoolType;
  /** In the order in which the API lists them: working members sorted by device, then the others. */
  readonly members: readonly CurrentMember[];
}

export type CurrentPool = { readonly name: string } & Readonly<Record<MemberRole, CurrentList | undefined>>;

/** Lists of devices as they were asked for; an empty text takes the member at its position out. */
export interface RequestedPool {
  readonly type: string;
  readonly devices: readonly string[];
  readonly cache: readonly string[];
  readonly log: readonly string[];
  readonly special: readonly string[] | undefined;
}

export type PoolStep =
  | { readonly kind: 'attach'; readonly to: string; readonly device: string }
  | { readonly kind: 'add'; readonly role: MemberRole; readonly words: readonly string[] }
  | {
      readonly kind: 'replace';
      readonly member: CurrentMember;
      readonly device: string;
      readonly wipe: boolean;
    }
  | { readonly kind: 'remove'; readonly member: CurrentMember }
  | { readonly kind: 'offline'; readonly member: CurrentMember }
  | { readonly kind: 'online'; readonly member: CurrentMember };

export type Plan = { readonly steps: readonly PoolStep[] } | { readonly problem: Violation };

const listNames: Readonly<Record<MemberRole, string>> = {
  devices: '',
  log: 'log ',
  cache: 'cache ',
  special: 'special device ',
};
const fieldNames: Readonly<Record<MemberRole, string>> = {
  devices: 'devices',
  log: 'log',
  cache: 'cache',
  special: 'special.devices',
};

function refuse(role: MemberRole, text: string, position?: number): { problem: Violation } {
  const field = fieldNames[role];
  return { problem: { field: position === undefined ? field : `${field}[${position}]`, text } };
}

/** The steps that make the pool what was asked for; none when it is that already. */
export function planUpdate(current: CurrentPool, requested: RequestedPool): Plan {
  const data = current.devices;
  if (data === undefined) return refuse('devices', `zpool '${current.name}' has no devices`);
  const type = requested.type === '' ? data.type : requested.type;
  const short = tooShort(current, requested);
  if (short !== undefined) return short;
  const double = twice(requested);
  if (double !== undefined) return double;
  const foreign = otherList(current, requested);
  if (foreign !== undefined) return foreign;
  const steps: PoolStep[] = [];
  if (data.type === 'zfs-raid0' && type === 'zfs-raid1') {
    const conversion = planConversion(data, requested.devices);
    if ('problem' in conversion) return conversion;
    steps.push(...conversion.steps);
  } else if (type !== data.type) {
    return {
      problem: {
        field: 'type',
        text: `the type of zpool '${current.name}' can't be changed from ${data.type} to ${type}`,
      },
    };
  } else {
    const plan = planList('devices', data, requested.devices);
    if ('problem' in plan) return plan;
    steps.push(...plan.steps);
  }
  const log = current.log ?? { type: logType(requested.log.length), members: [] };
  const others: [MemberRole, CurrentList | undefined, readonly string[]][] = [
    ['log', { ...log, type: logType(Math.max(log.members.length, requested.log.length)) }, requested.log],
    ['cache', current.cache ?? { type: 'zfs-raid0', members: [] }, requested.cache],
    ['special', current.special, requested.special ?? []],
  ];
  for (const [role, list, devices] of others) {
    if (list === undefined || (role === 'special' && requested.special === undefined)) continue;
    const plan = planList(role, list, devices);
    if ('problem' in plan) return plan;
    steps.push(...plan.steps);
  }
  return { steps };
}

function tooShort(current: CurrentPool, requested: RequestedPool): { problem: Violation } | undefined {
  const lists: [MemberRole, readonly string[] | undefined][] = [
    ['devices', requested.devices],
    ['log', requested.log],
    ['cache', requested.cache],
    ['special', requested.special],
  ];
  for (const [role, devices] of lists) {
    if (devices === undefined) continue;
    const least = (current[role]?.members ?? []).filter((member) => member.online).length;
    if (role === 'special' && current.special === undefined) {
      if (devices.length > 0)
        return {
          problem: {
            field: 'special',
            text: `zpool '${current.name}' doesn't have any special devices, and they can only be given when it is created`,
          },
        };
      continue;
    }
    if (devices.length < least) {
      return refuse(
        role,
        `only ${devices.length} ${listNames[role]}devices provided in update, expected at least ${least}`,
      );
    }
  }
  return undefined;
}

function everyDevice(requested: RequestedPool): { role: MemberRole; position: number; device: string }[] {
  const list = (
    role: MemberRole,
    devices: readonly string[],
  ): { role: MemberRole; position: number; device: string }[] =>
    devices.map((device, position) => ({ role, position, device }));
  return [
    ...list('devices', requested.devices),
    ...list('log', requested.log),
    ...list('cache', requested.cache),
    ...list('special', requested.special ?? []),
  ];
}

function twice(requested: RequestedPool): { problem: Violation } | undefined {
  const seen = new Set<string>();
  for (const { role, position, device } of everyDevice(requested)) {
    if (device === '') continue;
    if (seen.has(device)) return refuse(role, `device '${device}' is given twice`, position);
    seen.add(device);
  }
  return undefined;
}

/** A device can't go from one of the pool's lists to another. */
function otherList(current: CurrentPool, requested: RequestedPool): { problem: Violation } | undefined {
  for (const { role, position, device } of everyDevice(requested)) {
    for (const other of ['devices', 'log', 'cache', 'special'] as const) {
      if (other === role || device === '') continue;
      if (current[other]?.members.some((member) => member.device === device) === true) {
        return refuse(
          role,
          `device '${device}' already belongs to the ${other} of zpool '${current.name}'`,
          position,
        );
      }
    }
  }
  return undefined;
}

function planConversion(data: CurrentList, devices: readonly string[]): Plan {
  const [only, ...more] = data.members;
  if (only === undefined || more.length > 0)
    return refuse('devices', 'cannot convert a pool with more than one device to a mirrored pool');
  if (devices.length !== 2)
    return refuse('devices', 'converting to a mirrored pool requires exactly two devices');
  const added = devices.find((device) => device !== only.device);
  if (added === undefined || added === '' || !devices.includes(only.device)) {
    return refuse(
      'devices',
      `converting to a mirrored pool requires its current device '${only.device}' and a new one`,
    );
  }
  return { steps: [{ kind: 'attach', to: only.handle, device: added }] };
}

function planList(role: MemberRole, { type, members }: CurrentList, devices: readonly string[]): Plan {
  const current = members.filter((member) => member.online);
  const broken = members.filter((member) => !member.online);
  const extra = devices.filter(
    (device) => device !== '' && !members.some((member) => member.device === device),
  );
  const named = new Set(devices);
  // The order of the list says nothing as long as every member is in it.
  const unchanged = current.every((member) => named.has(member.device));
  const steps: PoolStep[] = [];
  if (!unchanged) {
    for (const [position, member] of current.entries()) {
      const wanted = devices[position] ?? '';
      if (wanted === member.device) continue;
      if (named.has(member.device)) {
        return refuse(role, `device '${member.device}' is already a member, at another position`, position);
      }
      if (wanted === '') {
        steps.push(type === 'zfs-raid0' ? { kind: 'remove', member } : { kind: 'offline', member });
        continue;
      }
      if (members.some((other) => other.device === wanted)) {
        return refuse(role, `device '${wanted}' is already a member, at another position`, position);
      }
      // ZFS can't replace a cache device, but one can go and another come at any time.
      if (role === 'cache') steps.push({ kind: 'remove', member }, { kind: 'add', role, words: [wanted] });
      else steps.push({ kind: 'replace', member, device: wanted, wipe: true });
      extra.splice(extra.indexOf(wanted), 1);
    }
  }
  for (const member of broken) if (named.has(member.device)) steps.push({ kind: 'online', member });
  // A member that broke, and isn't asked back, makes way for the first extra device.
  for (const member of broken) {
    if (named.has(member.device) || member.offline) continue;
    const device = extra.shift();
    if (device !== undefined) steps.push({ kind: 'replace', member, device, wipe: false });
  }
  const expansion = planExpansion(role, type, current, extra);
  return 'problem' in expansion ? expansion : { steps: [...steps, ...expansion.steps] };
}

function planExpansion(
  role: MemberRole,
  type: PoolType,
  current: readonly CurrentMember[],
  extra: readonly string[],
): Plan {
  const [device, ...more] = extra;
  if (device === undefined) return { steps: [] };
  const [first] = current;
  if (first === undefined || type === 'zfs-raid0')
    return { steps: [{ kind: 'add', role, words: vdevWords(type, extra) }] };
  if (type === 'zfs-raid10') {
    if (extra.length !== 2) return refuse(role, 'expanding a raid10 pool requires a pair of new devices');
    return { steps: [{ kind: 'add', role, words: vdevWords('zfs-raid10', extra) }] };
  }
  if (more.length > 0) {
    return refuse(
      role,
      'expanding a pool can only be performed one device at a time, due to a required resilver between expansions',
    );
  }
  const to = type === 'zfs-raid1' ? first.handle : (first.group ?? `${type.slice('zfs-'.length)}-0`);
  return { steps: [{ kind: 'attach', to, device }] };
}

const sectionWords: Readonly<Record<MemberRole, readonly string[]>> = {
  devices: [],
  log: ['log'],
  cache: ['cache'],
  special: ['special'],
};

/** The `zpool` command of a step. `forced` overrides ZFS' wish for vdevs that are all alike. */
export function stepArgv(pool: string, step: PoolStep, forced = false): [string, ...string[]] {
  const force = forced ? ['-f'] : [];
  switch (step.kind) {
    case 'attach':
      return ['zpool', 'attach', ...force, pool, step.to, step.device];
    case 'add':
      return ['zpool', 'add', ...force, pool, ...sectionWords[step.role], ...step.words];
    case 'replace':
      return ['zpool', 'replace', ...force, pool, step.member.handle, step.device];
    case 'remove':
      return ['zpool', 'remove', pool, step.member.handle];
    case 'offline':
      return ['zpool', 'offline', pool, step.member.handle];
    case 'online':
      return ['zpool', 'online', pool, step.member.handle];
  }
}

/** A step in a person's words. */
export function describeStep(step: PoolStep): string {
  switch (step.kind) {
    case 'attach':
      return `attach ${step.device} to ${step.to}`;
    case 'add':
      return `add ${[...sectionWords[step.role], ...step.words].join(' ')}`;
    case 'replace':
      return `replace ${step.member.device} by ${step.device}`;
    case 'remove':
      return `remove ${step.member.device}`;
    case 'offline':
      return `take ${step.member.device} offline`;
    case 'online':
      return `bring ${step.member.device} online`;
  }
}
