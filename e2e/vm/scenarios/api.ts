/** The tests of the API and of the official client, the same that run against the emulated machine. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { step } from '../../../image/tools/programs.ts';
import { ask, writeClientConfiguration } from '../client.ts';
import type { Count, Lab, Scenario } from '../harness/scenario.ts';
import { plainConsole } from '../harness/serial-log.ts';

const top = join(import.meta.dirname, '../../..');

/** What vitest's JSON reporter writes, as far as it is read here. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
}

/** Runs the test files of a folder of `e2e` against a machine of their own. */
async function suite(lab: Lab, folder: string): Promise<void> {
  const machine = await lab.running();
  // Its clock stands where the machine was kept; no time server is near, and signatures have a time.
  await machine.inGuest(`date --set=@${Math.floor(Date.now() / 1_000)}`);
  const client = await machine.trusted();
  const port = Number(new URL(machine.url).port);
  const { server } = await ask(port, '/os/1.0', client);
  const incus = join(machine.directory, 'incus');
  writeClientConfiguration(incus, port, server);
  const [log, report] = [join(machine.directory, 'api.log'), join(machine.directory, 'api.json')];
  const vitest = [join(top, 'node_modules/vitest/vitest.mjs'), 'run', '--config', 'e2e/vitest.config.ts'];
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  try {
    await step([process.execPath, ...vitest, ...reporters, `${folder}/`], {
      log,
      directory: top,
      env: {
        INCUSOS_URL: machine.url,
        INCUSOS_VM_DIR: machine.directory,
        INCUSOS_KEYS: lab.host.keys,
        INCUSOS_CLIENT_CERT: join(incus, 'client.crt'),
        INCUSOS_CLIENT_KEY: join(incus, 'client.key'),
        INCUS_CONF: incus,
        NO_COLOR: '1',
      },
    });
  } finally {
    process.stdout.write(summary(readFileSync(log, 'utf8')));
    lab.tests = counted(report);
  }
}

/** @returns nothing when the tests never began. */
function counted(report: string): Count | undefined {
  if (!existsSync(report)) return undefined;
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8')) as Report;
  return { passed: numPassedTests, failed: numFailedTests };
}

/** Which tests failed, and how many passed. */
function summary(log: string): string {
  const lines = plainConsole(log).split('\n');
  const told = lines.filter((line) => /^\s*(?:×|FAIL|Tests|Test Files)\s/u.test(line));
  return `${[...new Set(told)].map((line) => `  ${line.trim()}`).join('\n')}\n`;
}

export const apiScenarios: readonly Scenario[] = [
  {
    name: 'api/suite',
    sentence: 'the tests of the API that run against the emulated machine pass on the real one',
    needs: ['running'],
    minutes: 40,
    run: (lab) => suite(lab, 'api'),
  },
  {
    name: 'client/suite',
    sentence: 'the official client manages the real machine as it does the emulated one',
    needs: ['running'],
    minutes: 30,
    run: (lab) => suite(lab, 'client'),
  },
];
