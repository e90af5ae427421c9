import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Host, RunResult } from '@incusos/host';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmulatedHost } from '../emulated-host.ts';
import { EmulatedMachine } from '../machine/emulated-machine.ts';
import { switchOff, switchOn } from '../power-switch.ts';

const table = { family: 'inet', name: 'guard' };
const place = { family: 'inet', table: 'guard' };
const chain = { ...place, name: 'input', type: 'filter', hook: 'input', prio: 0, policy: 'accept' };
const dropAll = [{ drop: null }];
const rule = (expr: object[]): object => ({ add: { rule: { ...place, chain: 'input', expr } } });
const set = [{ add: { table } }, { add: { chain } }, rule(dropAll)];

describe('the packet filter of the emulated machine', () => {
  let machine: EmulatedMachine;
  let host: Host;
  beforeEach(async () => {
    machine = new EmulatedMachine(mkdtempSync(join(tmpdir(), 'emu-nft-')));
    machine.create();
    await switchOn(machine);
    host = openEmulatedHost(machine);
  });
  afterEach(() => rmSync(machine.directory, { recursive: true, force: true }));

  const nft = (args: string[], nftables: unknown = []): Promise<RunResult> =>
    host.programs.run(['nft', '-j', ...args], {
      acceptExitCodes: 'any',
      stdin: JSON.stringify({ nftables }),
    });
  const load = (commands: object[]): Promise<RunResult> => nft(['-f', '-'], commands);
  const listed = async (): Promise<unknown[]> => {
    const { stdout } = await nft(['list', 'ruleset']);
    return (JSON.parse(stdout) as { nftables: unknown[] }).nftables.slice(1);
  };

  it('takes a transaction and lists what it made, as nft 1.1 does', async () => {
    expect(await load(set)).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    expect(await listed()).toEqual([
      { table: { ...table, handle: 1 } },
      {
        chain: {
          ...place,
          name: 'input',
          handle: 1,
          type: 'filter',
          hook: 'input',
          prio: 0,
          policy: 'accept',
        },
      },
      { rule: { ...place, chain: 'input', handle: 2, expr: dropAll } },
    ]);
  });

  it('lists statements in the form in which the kernel has them, and counts the sets without a name', async () => {
    const from = { match: { op: '==', left: { meta: { key: 'iifname' } }, right: { set: ['a', 'b'] } } };
    const state = (right: unknown): object => ({
      match: { op: 'in', left: { ct: { key: 'state' } }, right },
    });
    await load([...set.slice(0, 2), rule([from, state(['invalid']), { reject: null }]), rule(dropAll)]);
    expect((await listed()).slice(2)).toEqual([
      {
        rule: {
          ...{ ...place, chain: 'input', handle: 3 },
          expr: [from, state('invalid'), { reject: { type: 'icmpx', expr: 'port-unreachable' } }],
        },
      },
      { rule: { ...place, chain: 'input', handle: 4, expr: dropAll } },
    ]);
  });

  it('empties the chains of a table and no other', async () => {
    const other = { ...place, table: 'other' };
    const foreign = [
      { add: { table: { ...table, name: 'other' } } },
      { add: { chain: { ...chain, ...other } } },
      { add: { rule: { ...other, chain: 'input', expr: dropAll } } },
    ];
    await load([...set, ...foreign]);
    await load([...set.slice(0, 2), { flush: { table } }]);
    const rules = (await listed()).filter((one) => JSON.stringify(one).includes('"rule"'));
    expect(rules).toMatchObject([{ rule: { table: 'other' } }]);
  });

  it('does all of a transaction or nothing', async () => {
    await load(set);
    const broken = [{ flush: { table } }, { add: { rule: { ...place, chain: 'none', expr: dropAll } } }];
    expect(await load(broken)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('Error: Could not process rule: No such file or directory') as string,
    });
    expect(await listed()).toHaveLength(3);
  });

  it('only checks when asked to', async () => {
    expect(await nft(['-c', '-f', '-'], set)).toMatchObject({ exitCode: 0 });
    expect(await listed()).toEqual([]);
    expect(await nft(['-c', '-f', '-'], [rule(dropAll)])).toMatchObject({ exitCode: 1 });
  });

  it('refuses what it does not know, in the words of libnftables', async () => {
    expect((await load([{ add: { tabl: table } }])).stderr).toBe(
      'internal:0:0-0: Error: Unknown object passed to add command.\n\n' +
        'internal:0:0-0: Error: Parsing command array at index 0 failed.\n\n',
    );
    expect((await load([rule([{ drop: null }, { acept: null }])])).stderr).toBe(
      "internal:0:0-0: Error: Unknown statement object 'acept'.\n\n" +
        'internal:0:0-0: Error: Parsing expr array at index 1 failed.\n\n' +
        'internal:0:0-0: Error: Parsing command array at index 0 failed.\n\n',
    );
  });

  it('is empty after a power cut', async () => {
    await load(set);
    await switchOff(machine);
    await switchOn(machine);
    expect(await listed()).toEqual([]);
  });
});
