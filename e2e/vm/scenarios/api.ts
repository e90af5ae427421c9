/** The tests of the API, the same that run against the emulated machine. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { step } from '../../../image/tools/programs.ts';
import type { Lab, Scenario } from '../harness/scenario.ts';
import { plainConsole } from '../harness/serial-log.ts';

const top = join(import.meta.dirname, '../../..');

async function apiSuite(lab: Lab): Promise<void> {
  const machine = await lab.running();
  await machine.trusted();
  const log = join(machine.directory, 'api.log');
  try {
    const vitest = join(top, 'node_modules/vitest/vitest.mjs');
    await step([process.execPath, vitest, 'run', '--config', 'e2e/vitest.config.ts', 'api/'], {
      log,
      directory: top,
      env: {
        INCUSOS_URL: machine.url,
        INCUSOS_CLIENT_CERT: join(machine.directory, 'incus/client.crt'),
        INCUSOS_CLIENT_KEY: join(machine.directory, 'incus/client.key'),
        NO_COLOR: '1',
      },
    });
  } finally {
    process.stdout.write(summary(readFileSync(log, 'utf8')));
  }
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
    run: apiSuite,
  },
];
