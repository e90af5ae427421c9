import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmulatedMachine, openEmulatedHost, switchOn } from '@incusos/host-emulated';
import type { Host, ProgramStream } from '@incusos/host';
import { createLogger } from '@incusos/service';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventually } from '../testing/network-appliance.ts';
import type { MovingParts } from './moving.ts';
import { NetworkSnapshot } from './snapshot.ts';

const plain: MovingParts = { neighbours: false, lacpBonds: [], tunnels: false };
const full: MovingParts = { neighbours: true, lacpBonds: ['b'], tunnels: false };

describe('the snapshot of the network', () => {
  let machine: EmulatedMachine;
  let real: Host;
  let runs: string[];
  let watchers: ProgramStream[];
  let snapshot: NetworkSnapshot;
  let watchable: boolean;

  beforeEach(async () => {
    machine = new EmulatedMachine(mkdtempSync(join(tmpdir(), 'snap-')));
    machine.create();
    await switchOn(machine);
    real = openEmulatedHost(machine);
    runs = [];
    watchers = [];
    watchable = true;
    const counted: Host = {
      files: real.files,
      programs: {
        run: async (argv, options) => {
          runs.push(argv.join(' '));
          return real.programs.run(argv, options);
        },
        stream: (argv, options) => {
          const stream = real.programs.stream(watchable ? argv : ['ip', 'monitor', 'nonsense'], options);
          watchers.push(stream);
          return stream;
        },
      },
    };
    snapshot = new NetworkSnapshot(counted, createLogger('network'));
    snapshot.start();
  });
  afterEach(() => {
    snapshot.stop();
    rmSync(machine.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  });

  /** Waits until nothing is read any more because of what happened before. */
  async function quiet(): Promise<void> {
    await snapshot.read(plain);
    await eventually(async () => {
      const before = runs.length;
      await sleep(1_000);
      return runs.length === before;
    });
    runs.length = 0;
  }

  async function configure(units: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(units))
      await real.files.writeAtomic(`/run/systemd/network/${name}`, text);
    await real.programs.run(['networkctl', 'reload']);
  }

  const names = async (): Promise<string[]> => [...(await snapshot.read(plain)).readings.links.keys()];

  it('runs no program for a question while nothing changes', async () => {
    await quiet();
    for (let asked = 0; asked < 20; asked += 1) await snapshot.read(plain);
    expect(runs).toEqual([]);
  });

  it('runs none for neighbours, partners of bonds and traffic either, which nobody announces', async () => {
    const { readings } = await snapshot.read(plain);
    const [card = ''] = [...readings.links.keys()].filter((name) => name.startsWith('enp'));
    await configure({
      '10-b.netdev': '[NetDev]\nName=b\nKind=bond\n\n[Bond]\nMode=802.3ad\n',
      '20-card.network': `[Match]\nName=${card}\n\n[Network]\nLLDP=yes\nBond=b\n`,
      '20-b.network': '[Match]\nName=b\n\n[Network]\nLinkLocalAddressing=no\n',
    });
    await quiet();
    await sleep(1_100);
    const { moving } = await snapshot.read(full);
    expect(moving.neighbours.get(card)).toMatchObject([{ name: 'switch.lan.example' }]);
    expect(moving.lacp.get(card)?.remote).toBe('52:54:00:00:00:01');
    expect(moving.counters.get(card)?.rxBytes).toBeTypeOf('bigint');
    expect(runs).toEqual([]);
  });

  it('asks the program for neighbours where networkd does not answer', async () => {
    await machine.change(({ system }) => {
      system.units['systemd-networkd.service'] = { active: 'inactive', sub: 'dead' };
    });
    await snapshot.read(full);
    expect(runs).toContain('networkctl lldp --json=short --no-pager');
  });

  it('asks once for many questions at a time', async () => {
    await quiet();
    snapshot.changed();
    await Promise.all(Array.from({ length: 10 }, async () => snapshot.read(plain)));
    expect(runs.filter((line) => line.startsWith('ip -j -d address'))).toHaveLength(1);
  });

  it('knows of a device that somebody else made', async () => {
    await quiet();
    await configure({ '10-x.netdev': '[NetDev]\nName=x0\nKind=bridge\n' });
    await eventually(async () => (await names()).includes('x0'));
  });

  it('asks the machine itself while its watch is dead, and watches again later', async () => {
    await quiet();
    watchable = false;
    watchers[0]?.stop();
    await eventually(async () => watchers.length > 1);
    runs.length = 0;
    await real.programs.run(['ip', 'link', 'set', 'enp5s0', 'name', 'other0']);
    expect(await names()).toContain('other0');
    expect(runs).not.toEqual([]);
    watchable = true;
    await eventually(async () => {
      await quiet();
      await snapshot.read(plain);
      return runs.length === 0;
    });
  });
});

/** A machine whose answers are let go by hand, and whose changes are announced so. */
class HeldMachine {
  readonly announcements = new PassThrough();
  /** Questions that wait for their answer. */
  readonly waiting: (() => void)[] = [];
  asked = 0;
  /** What the machine has now. */
  device = 'first';
  held = false;

  readonly host: Host = {
    files: {
      readText: () => Promise.resolve(''),
      watch: () => ({ close: () => undefined }),
    } as Partial<Host['files']> as Host['files'],
    programs: {
      run: async ([program]) => {
        this.asked += 1;
        const answer = program === 'ip' ? JSON.stringify([{ ifname: this.device }]) : '{}';
        if (this.held) await new Promise<void>((go) => this.waiting.push(go));
        return { exitCode: 0, stdout: answer, stderr: '' };
      },
      stream: () => ({
        stdout: this.announcements,
        finished: new Promise<never>(() => undefined),
        stop: () => undefined,
      }),
    },
  };

  letGo(): void {
    this.held = false;
    for (const go of this.waiting.splice(0)) go();
  }
}

describe('the age of the snapshot', () => {
  let machine: HeldMachine;
  let snapshot: NetworkSnapshot;

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    machine = new HeldMachine();
    snapshot = new NetworkSnapshot(machine.host, createLogger('network'));
    snapshot.start();
    await snapshot.read(plain);
    await settled();
  });
  afterEach(() => {
    machine.letGo();
    snapshot.stop();
    vi.useRealTimers();
  });

  /** Until nothing is being read. */
  async function settled(): Promise<void> {
    for (let asked = -1; asked !== machine.asked;) {
      asked = machine.asked;
      await sleep(150);
    }
  }

  const device = async (): Promise<string | undefined> =>
    [...(await snapshot.read(plain)).readings.links.keys()][0];
  const isAnswered = (question: Promise<unknown>): Promise<boolean> =>
    Promise.race([question.then(() => true), sleep(200).then(() => false)]);

  async function change(): Promise<void> {
    machine.held = true;
    machine.device = 'second';
    machine.announcements.write('a line\n');
    await eventually(() => Promise.resolve(machine.waiting.length > 0));
  }

  it('is that of the change before, for as long as the machine takes to tell, up to 1.5 s', async () => {
    await change();
    vi.setSystemTime(Date.now() + 1_400);
    expect(await device()).toBe('first');
    machine.letGo();
    await settled();
    expect(await device()).toBe('second');
  });

  it('never is more: after that a question waits for the machine', async () => {
    await change();
    vi.setSystemTime(Date.now() + 1_600);
    const question = device();
    expect(await isAnswered(question)).toBe(false);
    machine.letGo();
    expect(await question).toBe('second');
  });

  it('is nothing for a change that the service itself made', async () => {
    await change();
    snapshot.changed();
    const question = device();
    expect(await isAnswered(question)).toBe(false);
    machine.device = 'third';
    machine.letGo();
    expect(await question).toBe('third');
  });

  it('is bounded while changes go on without end', async () => {
    await change();
    // It came while the machine was being asked, so that answer may lack it.
    machine.announcements.write('another line\n');
    await sleep(50);
    machine.device = 'third';
    vi.setSystemTime(Date.now() + 1_600);
    const question = device();
    machine.letGo();
    expect(await question).toBe('third');
  });
});
