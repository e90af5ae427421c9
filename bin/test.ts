/** Runs every check, shows each one's own output, and closes with the sum: `N passed, N failed`. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Count {
  readonly passed: number;
  readonly failed: number;
}

const results = mkdtempSync(join(tmpdir(), 'incusos-test-'));

function run(program: string, ...args: string[]): boolean {
  return spawnSync(program, args, { stdio: 'inherit' }).status === 0;
}

/** A check that is one thing: it passes or not. */
function check(name: string, program: string, ...args: string[]): Count {
  process.stdout.write(`\n== ${name}\n`);
  const passed = run(program, ...args);
  process.stdout.write(passed ? 'passed\n' : 'failed\n');
  return { passed: passed ? 1 : 0, failed: passed ? 0 : 1 };
}

/** A run of Vitest, counted by its own report; one that ran nothing or broke off counts as a failure. */
function vitest(name: string, ...args: string[]): Count {
  process.stdout.write(`\n== ${name}\n`);
  const report = join(results, `${name.replaceAll(/\W/gu, '-')}.json`);
  const clean = run(
    'vitest',
    'run',
    ...args,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  );
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8')) as {
      numPassedTests: number;
      numFailedTests: number;
    };
    const broken = numPassedTests + numFailedTests === 0 || (!clean && numFailedTests === 0);
    return { passed: numPassedTests, failed: numFailedTests + (broken ? 1 : 0) };
  } catch {
    return { passed: 0, failed: 1 };
  }
}

const counts = [
  check('lint', 'bin/lint'),
  check('types', 'npm', 'run', '--silent', 'typecheck'),
  check('protocol compatibility', 'npm', 'run', '--silent', 'buf:breaking'),
  vitest('unit and service tests'),
  vitest('API and client suites', '--config', 'e2e/vitest.config.ts'),
];
rmSync(results, { recursive: true });
const passed = counts.reduce((sum, count) => sum + count.passed, 0);
const failed = counts.reduce((sum, count) => sum + count.failed, 0);
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
