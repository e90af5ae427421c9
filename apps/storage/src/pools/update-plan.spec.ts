import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { poolTypes, type PoolType } from './pool-layout.ts';
import {
  type CurrentMember,
  type CurrentPool,
  describeStep,
  planUpdate,
  type PoolStep,
  type RequestedPool,
  stepArgv,
} from './update-plan.ts';

const member = (device: string, change: Partial<CurrentMember> = {}): CurrentMember => ({
  device,
  handle: device,
  online: true,
  offline: false,
  group: undefined,
  ...change,
});
const missing = (device: string): CurrentMember => member(device, { online: false });
const offline = (device: string): CurrentMember => member(device, { online: false, offline: true });

function pool(
  type: PoolType,
  members: (CurrentMember | string)[],
  change: Partial<CurrentPool> = {},
): CurrentPool {
  const list = members.map((each) => (typeof each === 'string' ? member(each) : each));
  return {
    name: 'tank',
    devices: { type, members: list },
    cache: undefined,
    log: undefined,
    special: undefined,
    ...change,
  };
}

function plan(
  current: CurrentPool,
  devices: string[],
  change: Partial<RequestedPool> = {},
): string[] | string {
  const result = planUpdate(current, {
    type: '',
    devices,
    cache: [],
    log: [],
    special: undefined,
    ...change,
  });
  return 'problem' in result ? result.problem.text : result.steps.map(describeStep);
}

describe('an update', () => {
  it.each<[string, CurrentPool, string[], Partial<RequestedPool>, string[] | string]>([
    ['of nothing', pool('zfs-raid1', ['a', 'b']), ['a', 'b'], {}, []],
    ['of the order alone', pool('zfs-raid1', ['a', 'b']), ['b', 'a'], {}, []],
    ['that replaces', pool('zfs-raid1', ['a', 'b']), ['a', 'c'], {}, ['replace b by c']],
    ['that replaces in a stripe', pool('zfs-raid0', ['a', 'b']), ['c', 'b'], {}, ['replace a by c']],
    ['that takes out of a stripe', pool('zfs-raid0', ['a', 'b']), ['a', ''], {}, ['remove b']],
    ['that takes out of a mirror', pool('zfs-raid1', ['a', 'b']), ['', 'b'], {}, ['take a offline']],
    ['that brings back', pool('zfs-raid1', ['a', offline('b')]), ['a', 'b'], {}, ['bring b online']],
    ['that says nothing of an offline member', pool('zfs-raid1', ['a', offline('b')]), ['a'], {}, []],
    [
      'that replaces a missing member by the extra one',
      pool('zfs-raid1', ['a', missing('b')]),
      ['a', 'c'],
      {},
      ['replace b by c'],
    ],
    [
      'that does so and expands',
      pool('zfs-raid1', ['a', missing('b')]),
      ['a', 'c', 'd'],
      {},
      ['replace b by c', 'attach d to a'],
    ],
    ['that adds to a stripe', pool('zfs-raid0', ['a']), ['a', 'b', 'c'], {}, ['add b c']],
    ['that widens a mirror', pool('zfs-raid1', ['a', 'b']), ['a', 'b', 'c'], {}, ['attach c to a']],
    [
      'that widens raidz',
      pool('zfs-raidz2', [member('a', { group: 'raidz2-0' }), 'b', 'c']),
      ['a', 'b', 'c', 'd'],
      {},
      ['attach d to raidz2-0'],
    ],
    [
      'that adds a pair',
      pool('zfs-raid10', ['a', 'b', 'c', 'd']),
      ['a', 'b', 'c', 'd', 'e', 'f'],
      {},
      ['add mirror e f'],
    ],
    [
      'that adds half a pair',
      pool('zfs-raid10', ['a', 'b', 'c', 'd']),
      ['a', 'b', 'c', 'd', 'e'],
      {},
      'expanding a raid10 pool requires a pair of new devices',
    ],
    [
      'from a stripe to a mirror',
      pool('zfs-raid0', ['a']),
      ['a', 'b'],
      { type: 'zfs-raid1' },
      ['attach b to a'],
    ],
    [
      'from a wide stripe to a mirror',
      pool('zfs-raid0', ['a', 'b']),
      ['a', 'b'],
      { type: 'zfs-raid1' },
      'cannot convert a pool with more than one device to a mirrored pool',
    ],
    [
      'from a stripe to a mirror of three',
      pool('zfs-raid0', ['a']),
      ['a', 'b', 'c'],
      { type: 'zfs-raid1' },
      'converting to a mirrored pool requires exactly two devices',
    ],
    [
      'from a stripe to a mirror of others',
      pool('zfs-raid0', ['a']),
      ['b', 'c'],
      { type: 'zfs-raid1' },
      "converting to a mirrored pool requires its current device 'a' and a new one",
    ],
    [
      'that shifts members',
      pool('zfs-raid1', ['a', 'b', 'c']),
      ['a', 'c', 'd'],
      {},
      "device 'c' is already a member, at another position",
    ],
    ['that adds a first log', pool('zfs-raid0', ['a']), ['a'], { log: ['l'] }, ['add log l']],
    [
      'that adds a mirrored log',
      pool('zfs-raid0', ['a']),
      ['a'],
      { log: ['l', 'm'] },
      ['add log mirror l m'],
    ],
    [
      'that mirrors the log',
      pool('zfs-raid0', ['a'], { log: { type: 'zfs-raid0', members: [member('l')] } }),
      ['a'],
      { log: ['l', 'm'] },
      ['attach m to l'],
    ],
    [
      'that forgets the log',
      pool('zfs-raid0', ['a'], { log: { type: 'zfs-raid0', members: [member('l')] } }),
      ['a'],
      {},
      'only 0 log devices provided in update, expected at least 1',
    ],
    [
      'that changes the cache',
      pool('zfs-raid0', ['a'], { cache: { type: 'zfs-raid0', members: [member('x')] } }),
      ['a'],
      { cache: ['y'] },
      ['remove x', 'add cache y'],
    ],
    [
      'that forgets special devices',
      pool('zfs-raid0', ['a'], { special: { type: 'zfs-raid0', members: [member('s')] } }),
      ['a'],
      { special: [] },
      'only 0 special device devices provided in update, expected at least 1',
    ],
    [
      'that gives too few',
      pool('zfs-raidz1', ['a', 'b', 'c']),
      ['a', 'b'],
      {},
      'only 2 devices provided in update, expected at least 3',
    ],
  ])('%s', (_what, current, devices, change, expected) => {
    expect(plan(current, devices, change)).toEqual(expected);
  });

  it('uses the guid of a member that was missing at import', () => {
    const current = pool('zfs-raid1', ['a', member('b', { online: false, handle: '42' })]);
    const result = planUpdate(current, {
      type: 'zfs-raid1',
      devices: ['a', 'c'],
      cache: [],
      log: [],
      special: undefined,
    });
    expect('steps' in result && result.steps.map((step) => stepArgv('tank', step).join(' '))).toEqual([
      'zpool replace tank 42 c',
    ]);
  });
});

/** Devices that a step writes to. */
function written(step: PoolStep): string[] {
  if (step.kind === 'attach' || step.kind === 'replace') return [step.device];
  return step.kind === 'add' ? step.words.filter((word) => /^d\d+$/u.test(word)) : [];
}

/** Members that a step takes away. */
function lost(step: PoolStep): CurrentMember[] {
  return step.kind === 'replace' || step.kind === 'remove' || step.kind === 'offline' ? [step.member] : [];
}

const device = fc.integer({ min: 0, max: 14 }).map((number) => `d${number}`);
const current = fc
  .record({
    type: fc.constantFrom(...poolTypes),
    devices: fc.uniqueArray(device, { minLength: 1, maxLength: 9 }),
    broken: fc.array(fc.constantFrom('online', 'online', 'missing', 'offline'), {
      minLength: 9,
      maxLength: 9,
    }),
    split: fc.tuple(fc.nat(2), fc.nat(2)),
  })
  .map(({ type, devices, broken, split }) => {
    const members = devices.map((name, index) => {
      const state = broken[index];
      return state === 'missing' ? missing(name) : state === 'offline' ? offline(name) : member(name);
    });
    const sorted = (list: CurrentMember[]): CurrentMember[] =>
      list.toSorted((a, b) => Number(b.online) - Number(a.online) || (a.device < b.device ? -1 : 1));
    const [log, cache] = [members.splice(1, split[0]), members.splice(1, split[1])];
    return pool(type, sorted(members), {
      log:
        log.length === 0
          ? undefined
          : { type: log.length > 1 ? 'zfs-raid1' : 'zfs-raid0', members: sorted(log) },
      cache: cache.length === 0 ? undefined : { type: 'zfs-raid0', members: sorted(cache) },
    });
  });
const wanted = fc.array(fc.oneof(device, device, device, fc.constant('')), { maxLength: 8 });

describe('any update', () => {
  const cases = fc.tuple(current, wanted, wanted, wanted, fc.constantFrom('', ...poolTypes));

  it('uses no device twice, and writes to no member', () => {
    fc.assert(
      fc.property(cases, ([before, devices, log, cache, type]) => {
        const result = planUpdate(before, { type, devices, log, cache, special: undefined });
        if ('problem' in result) return;
        const members = [before.devices, before.log, before.cache]
          .flatMap((list) => list?.members ?? [])
          .map((each) => each.device);
        const targets = result.steps.flatMap(written);
        expect(new Set(targets).size).toBe(targets.length);
        expect(targets.filter((target) => members.includes(target))).toEqual([]);
        // Nothing is taken that wasn't asked for.
        expect(targets.filter((target) => ![...devices, ...log, ...cache].includes(target))).toEqual([]);
      }),
      { numRuns: 3000 },
    );
  });

  it('loses no member that is still asked for, and a working one only for what is at its position', () => {
    fc.assert(
      fc.property(cases, ([before, devices, log, cache, type]) => {
        const result = planUpdate(before, { type, devices, log, cache, special: undefined });
        if ('problem' in result) return;
        const lists = [
          [before.devices, devices],
          [before.log, log],
          [before.cache, cache],
        ] as const;
        for (const gone of result.steps.flatMap(lost)) {
          for (const [list, asked] of lists) {
            const online = (list?.members ?? []).filter((each) => each.online);
            const position = online.indexOf(gone);
            if (position >= 0) expect(asked[position]).not.toBe(gone.device);
            if (list?.members.includes(gone) === true) expect(asked).not.toContain(gone.device);
          }
        }
      }),
      { numRuns: 3000 },
    );
  });
});
