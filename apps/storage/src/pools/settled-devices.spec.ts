import { type Host, ProgramError, type Programs } from '@incusos/host';
import { describe, expect, it } from 'vitest';
import { runWithNewDrives } from './settled-devices.ts';

const create = ['zpool', 'create', 'tank', '/dev/disk/by-id/a'] as const;

/** A machine whose `zpool` fails with these texts in turn, and then works. */
function machine(...failures: string[]): { host: Host; ran: string[] } {
  const ran: string[] = [];
  const run: Programs['run'] = ([program, ...args]) => {
    ran.push([program, ...args].join(' '));
    const stderr = program === 'zpool' ? failures.shift() : undefined;
    if (stderr === undefined) return Promise.resolve({ exitCode: 0, stdout: '', stderr: '' });
    return Promise.reject(new ProgramError('failed', program, stderr, 1, `zpool failed: ${stderr}`));
  };
  const programs: Partial<Programs> = { run };
  const host: Partial<Host> = { programs: programs as Programs };
  return { host: host as Host, ran };
}

const settled = 'udevadm settle --timeout=30';
const line = create.join(' ');
/** What zpool 2.3.9 said of drives that had other partitions a moment before. */
const overtaken = [
  "cannot create 'tank': one or more devices is currently unavailable",
  "cannot label 'sdc': failed to detect device partitions on '/dev/sdc1': 19",
];

describe('a pool command that takes new drives', () => {
  it('is given again after udev is done when it was overtaken by udev', async () => {
    const { host, ran } = machine(...overtaken);
    await runWithNewDrives(host, create, 1_000);
    expect(ran).toEqual([line, settled, line, settled, line]);
  });

  it('fails with what ZFS said when that does not help', async () => {
    const { host, ran } = machine(...overtaken, ...overtaken);
    await expect(runWithNewDrives(host, create, 1_000)).rejects.toThrow('currently unavailable');
    expect(ran).toHaveLength(5);
  });

  it('fails at once for another reason', async () => {
    const { host, ran } = machine("cannot create 'tank': pool already exists");
    await expect(runWithNewDrives(host, create, 1_000)).rejects.toThrow('already exists');
    expect(ran).toEqual([line]);
  });
});
