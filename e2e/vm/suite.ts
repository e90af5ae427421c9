/** `npm run e2e:vm`: scenarios on virtual machines, one after the other. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { findArchive } from '../../image/tools/archive.ts';
import { cacheDirectory } from '../../image/tools/cache.ts';
import { checkHost } from '../../image/tools/host-check.ts';
import { toolsRoot, withScratch } from '../../image/tools/roots.ts';
import { runMain, UserError } from '../../image/tools/sentence.ts';
import { findAccelerator } from './accelerator.ts';
import { type Image, imageAt, KeptMachines } from './harness/kept-machines.ts';
import { Lab, type Scenario } from './harness/scenario.ts';
import type { Host, TestMachine } from './harness/test-machine.ts';
import { newestImage } from './newest-image.ts';
import { scenariosNamed } from './scenarios/index.ts';

const usage = `npm run e2e:vm [-- NAME… --list --keep --image FILE --accel kvm|tcg]

  NAME                a scenario or a group of them; all unless given
  --list              tells the scenarios and ends
  --keep              keeps the machines' directories
  --image FILE        the disk image; the one in image/output unless given
  --accel             kvm or tcg; what works unless given
`;

const artifacts = join(import.meta.dirname, 'artifacts');
const scenarioMs = 40 * 60_000;
const logs = ['serial.log', 'report.log', 'qemu.log', 'swtpm.log', 'api.log'];

await runMain(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      list: { type: 'boolean' },
      keep: { type: 'boolean' },
      image: { type: 'string' },
      accel: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    process.stdout.write(usage);
    return;
  }
  const chosen = chosenScenarios(positionals);
  if (values.list === true) {
    for (const { name, sentence } of chosen) process.stdout.write(`${name}: ${sentence}\n`);
    return;
  }
  checkHost();
  const image = imageAt(
    values.image === undefined ? newestImage() : resolve(process.env['INIT_CWD'] ?? '.', values.image),
  );
  const tools = await toolsRoot(findArchive('amd64'));
  const { accel } = values;
  if (accel !== undefined && accel !== 'kvm' && accel !== 'tcg')
    throw new UserError(`there is no accelerator ${accel}; kvm and tcg are.`);
  const accelerator = accel ?? (await withScratch((scratch) => findAccelerator(tools, scratch)));
  const host = { tools, accelerator, keys: join(dirname(dirname(image.path)), 'keys') };
  const failed = await runAll(host, image, chosen, values.keep === true);
  process.stdout.write(`${chosen.length - failed} passed, ${failed} failed\n`);
  if (failed > 0) process.exitCode = 1;
});

async function runAll(host: Host, image: Image, chosen: readonly Scenario[], keep: boolean): Promise<number> {
  // Each machine ends its two processes when this one ends.
  process.setMaxListeners(0);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
  const kept = new KeptMachines(host, image);
  kept.forgetOthers();
  const base = join(cacheDirectory(), 'scratch');
  mkdirSync(base, { recursive: true });
  let failed = 0;
  process.stdout.write(`IncusOS ${image.version} on ${host.accelerator}\n`);
  for (const scenario of chosen) {
    const lab = new Lab(host, image, kept, mkdtempSync(join(base, 'vm-')));
    const began = performance.now();
    const problem = await attempt(scenario, lab);
    const seconds = Math.round((performance.now() - began) / 1_000);
    const saved = problem === undefined ? undefined : await saveArtifacts(scenario, lab, problem);
    await lab.close();
    if (keep) process.stdout.write(`  its machines are in ${lab.directory}\n`);
    else rmSync(lab.directory, { recursive: true, force: true });
    process.stdout.write(`${problem === undefined ? 'ok  ' : 'FAIL'} ${scenario.name} (${seconds} s)\n`);
    if (problem !== undefined) {
      failed += 1;
      process.stdout.write(`${indented(problem)}\n  artefacts: ${relative(process.cwd(), saved ?? '')}\n`);
    }
  }
  return failed;
}

/** Runs a scenario. @returns what went wrong, if anything. */
async function attempt(scenario: Scenario, lab: Lab): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<string>((resolveLimit) => {
    timer = setTimeout(() => resolveLimit(`it took more than ${scenarioMs / 60_000} minutes`), scenarioMs);
  });
  try {
    return await Promise.race([limit, scenario.run(lab).then(() => undefined)]);
  } catch (error) {
    return explained(error);
  } finally {
    clearTimeout(timer);
  }
}

function explained(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by: ${explained(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

/** Keeps the logs and a picture of every machine. @returns where. */
async function saveArtifacts(scenario: Scenario, lab: Lab, problem: string): Promise<string> {
  const directory = join(artifacts, scenario.name.replaceAll('/', '-'));
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'problem.txt'), `${problem}\n`);
  for (const machine of lab.machines) await saveMachine(machine, directory);
  return directory;
}

async function saveMachine(machine: TestMachine, directory: string): Promise<void> {
  const name = basename(machine.directory);
  for (const log of logs) {
    const from = join(machine.directory, log);
    if (existsSync(from)) copyFileSync(from, join(directory, `${name}-${log}`));
  }
  if (!machine.isRunning()) return;
  await machine.screenshot(join(directory, `${name}-screen.png`)).catch(() => undefined);
}

function chosenScenarios(names: readonly string[]): readonly Scenario[] {
  try {
    return scenariosNamed(names);
  } catch (error) {
    throw new UserError(error instanceof Error ? error.message : String(error));
  }
}

function indented(text: string): string {
  return text.replaceAll(/^/gmu, '  ');
}
