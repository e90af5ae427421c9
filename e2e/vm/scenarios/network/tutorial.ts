/** What the tutorial has a reader type, on a machine as the reader has it; what it answers goes to the scenario's log. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Lab, Scenario } from '../../harness/scenario.ts';
import { until } from '../../harness/wait.ts';
import { deviceIs, setClock } from './network-api.ts';
import { OfficialClient } from './official-client.ts';

const page = join(import.meta.dirname, '../../../../docs/tutorials/network.md');
const cardMs = 3 * 60_000;

/** The documents of the tutorial, in the order of the reader. */
export function tutorialDocuments(): readonly string[] {
  return [...readFileSync(page, 'utf8').matchAll(/^```yaml\n([^]*?)^```$/gmu)].map(([, text = '']) => text);
}

async function followed(lab: Lab): Promise<void> {
  const machine = await lab.running();
  await setClock(machine);
  const rest = await machine.rest();
  for (const card of ['enp6s0', 'enp7s0']) {
    await machine.addNic(`${card}=hub:1`);
    await until(`the card ${card}`, cardMs, async () => {
      const { code } = await machine.guest(`ls /sys/class/net/${card}`);
      return code === 0 ? true : undefined;
    });
  }
  const client = await OfficialClient.of(machine);
  const typed = async (words: string, stdin?: string): Promise<string> => {
    const { exitCode, stdout, stderr } = await client.run(words, stdin);
    lab.note(`incus admin os ${words}`, `${stdout}${stderr}`);
    assert.equal(exitCode, 0, stderr);
    return stdout;
  };
  const [wanted = '', wrong = ''] = tutorialDocuments();
  assert.match(await typed('system network info'), /enp7s0/u);
  await typed('system network show');
  const dryRun = await rest.succeed('PUT', '/os/1.0/system/network?dry-run=1', {
    json: parse(wanted) as object,
  });
  lab.note('dry run', JSON.stringify(dryRun, undefined, 2));
  await typed('system network edit', wanted);
  await typed('system network confirm');
  await deviceIs(rest, 'mgmt', 'is up', ({ state }) => state === 'routable');
  await typed('system network info');
  await typed('system network show');
  await machine.cable('enp6s0', 'down');
  await deviceIs(rest, 'uplink', 'has lost a cable', ({ members = {} }) =>
    Object.values(members).some(({ state }) => state === 'no-carrier'),
  );
  await typed('system network show');
  await machine.cable('enp6s0', 'up');
  const { exitCode, stderr } = await client.run('system network edit', wrong);
  lab.note('the wrong one', stderr);
  assert.notEqual(exitCode, 0);
  assert.match(await typed('system network show'), /rolled-back/u);
}

export const tutorialScenarios: readonly Scenario[] = [
  {
    name: 'network/tutorial',
    sentence: 'what the tutorial has its reader type does what it says',
    needs: ['running'],
    run: followed,
  },
];
