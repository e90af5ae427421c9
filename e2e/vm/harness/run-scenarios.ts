/** Runs scenarios one after the other, says how each went, and keeps what is left of those that failed. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { cacheDirectory } from '../../../image/tools/cache.ts';
import { say } from '../../../image/tools/sentence.ts';
import { Artifacts } from './artifacts.ts';
import { type Image, KeptMachines } from './kept-machines.ts';
import { type Count, Lab, type Scenario } from './scenario.ts';
import type { Host } from './test-machine.ts';

const usualMinutes = 20;
const shownLines = 30;
/** systemd's sign that it waits, which is written over. */
const animation = /^\[[ *]{6}\] /u;

export interface RunOptions {
  /** Whether the directories of the machines stay. */
  readonly keep: boolean;
  /** Where the artefacts of failures go. */
  readonly artifacts: string;
}

/** @returns how many passed; one that ran many tests counts as many. */
export async function runScenarios(
  host: Host,
  image: Image,
  chosen: readonly Scenario[],
  options: RunOptions,
): Promise<Count> {
  const kept = new KeptMachines(host, image);
  kept.forgetOthers();
  const base = join(cacheDirectory(), 'scratch');
  mkdirSync(base, { recursive: true });
  const artifacts = new Artifacts(options.artifacts);
  let passed = 0;
  let failed = 0;
  for (const [index, scenario] of chosen.entries()) {
    say(`${index + 1} of ${chosen.length}: ${scenario.name}, ${scenario.sentence}`);
    artifacts.forget(scenario.name);
    // Short, since there are sockets in it.
    const newLab = (): Lab => new Lab(host, image, kept, mkdtempSync(join(base, 'vm-')));
    let lab = newLab();
    let result = await attempt(scenario, lab);
    if (result.problem !== undefined && lostTimer(lab)) {
      say(`  the emulator lost a timer of the machine; ${scenario.name} is tried once more`);
      await lab.close();
      rmSync(lab.directory, { recursive: true, force: true });
      lab = newLab();
      result = await attempt(scenario, lab);
    }
    const { seconds, problem, count } = result;
    passed += count.passed;
    failed += count.failed;
    artifacts.keepLog(scenario.name, lab);
    const saved = problem === undefined ? undefined : await artifacts.keep(scenario.name, lab, problem);
    await lab.close();
    process.stdout.write(`${problem === undefined ? 'ok  ' : 'FAIL'} ${scenario.name} (${seconds} s)\n`);
    if (problem !== undefined && saved !== undefined)
      process.stdout.write(`${indented(told(problem, lab))}\n  artefacts: ${relative('.', saved)}\n`);
    if (options.keep) process.stdout.write(`  its machines are in ${lab.directory}\n`);
    else rmSync(lab.directory, { recursive: true, force: true });
  }
  return { passed, failed };
}

/** Without KVM a guest's processor now and then sleeps for good: its kernel says so, and nothing of ours is to blame. */
function lostTimer(lab: Lab): boolean {
  const sign = /rcu_preempt kthread timer wakeup didn't happen|Possible timer handling issue/u;
  return lab.machines.some((machine) => sign.test(machine.serial.text()));
}

interface Attempt {
  readonly seconds: number;
  /** What went wrong, if anything. */
  readonly problem: string | undefined;
  readonly count: Count;
}

async function attempt(scenario: Scenario, lab: Lab): Promise<Attempt> {
  let began = performance.now();
  const seconds = (): number => Math.round((performance.now() - began) / 1_000);
  let problem: string | undefined;
  try {
    for (const need of scenario.needs) await lab.kept.prepare(need);
    began = performance.now();
    await limited(scenario, lab);
    if ((lab.tests?.failed ?? 0) > 0) problem = `${lab.tests?.failed ?? 0} of its tests failed`;
  } catch (error) {
    problem = explained(error);
  }
  const failed = problem === undefined ? 0 : Math.max(1, lab.tests?.failed ?? 0);
  return { seconds: seconds(), problem, count: { passed: lab.tests?.passed ?? 1 - failed, failed } };
}

async function limited(scenario: Scenario, lab: Lab): Promise<void> {
  const minutes = scenario.minutes ?? usualMinutes;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it took more than ${minutes} minutes`)), minutes * 60_000);
  });
  try {
    await Promise.race([limit, scenario.run(lab)]);
  } finally {
    clearTimeout(timer);
  }
}

function explained(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by: ${explained(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

/** The problem, and where the machines were. */
function told(problem: string, lab: Lab): string {
  const ends = lab.machines.map((machine, index) => {
    const lines = machine.serial.text().trimEnd().split('\n');
    return `the end of machine ${index + 1}'s console:\n${indented(
      lines
        .filter((line) => !animation.test(line))
        .slice(-shownLines)
        .join('\n'),
    )}`;
  });
  return [problem, ...ends].join('\n');
}

function indented(text: string): string {
  return text.replaceAll(/^/gmu, '  ');
}
