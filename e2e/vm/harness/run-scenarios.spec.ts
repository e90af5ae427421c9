import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runScenarios } from './run-scenarios.ts';
import type { Count, Lab, Scenario } from './scenario.ts';

describe('a run of scenarios', () => {
  let directory: string;
  let printed: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'scenarios-'));
    vi.stubEnv('XDG_CACHE_HOME', join(directory, 'cache'));
    printed = '';
    const take = (text: string | Uint8Array): boolean => ((printed += String(text)), true);
    vi.spyOn(process.stdout, 'write').mockImplementation(take);
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    rmSync(directory, { recursive: true });
  });

  const artifacts = (): string => join(directory, 'artifacts');
  const scratch = (): string[] => readdirSync(join(directory, 'cache/incusos/image/scratch'));
  const scenario = (name: string, run: (lab: Lab) => Promise<void>, minutes = 1): Scenario => ({
    ...{ name, sentence: 'it is so', needs: [], minutes, run },
  });
  const passes = scenario('a/passes', () => Promise.resolve());
  const fails = scenario('a/fails', () => Promise.reject(new Error('the sky is green', { cause: 'paint' })));
  const run = (chosen: readonly Scenario[], keep = false): Promise<Count> => {
    const kernel = join(directory, 'IncusOS_202601010000.efi');
    writeFileSync(kernel, 'a kernel');
    return runScenarios(
      { tools: '/nowhere', accelerator: 'tcg', keys: '/nowhere' },
      { path: join(directory, 'IncusOS_202601010000.raw'), version: '202601010000', kernel },
      chosen,
      { keep, artifacts: artifacts() },
    );
  };

  it('counts what passed and what failed, and goes on after a failure', async () => {
    expect(await run([fails, passes])).toEqual({ passed: 1, failed: 1 });
    expect(printed).toMatch(/^FAIL a\/fails \(\d+ s\)$/mu);
    expect(printed).toMatch(/^ok {3}a\/passes \(\d+ s\)$/mu);
  });

  it('says what went wrong and why, and keeps it', async () => {
    await run([fails]);
    expect(printed).toContain('the sky is green');
    expect(printed).toContain('caused by: paint');
    expect(readFileSync(join(artifacts(), 'a-fails/problem.txt'), 'utf8')).toContain('the sky is green');
  });

  it('forgets what a scenario left when it passes', async () => {
    await run([fails]);
    await run([{ ...passes, name: 'a/fails' }]);
    expect(existsSync(join(artifacts(), 'a-fails'))).toBe(false);
  });

  it('ends a scenario that takes too long', async () => {
    const forever = scenario('a/hangs', () => new Promise(() => undefined), 0.001);
    expect(await run([forever, passes])).toEqual({ passed: 1, failed: 1 });
    expect(printed).toContain('it took more than 0.001 minutes');
  });

  it('counts the tests of a scenario that has many', async () => {
    const many = (tests: Count): Scenario =>
      scenario('a/many', (lab) => {
        lab.tests = tests;
        return Promise.resolve();
      });
    expect(await run([many({ passed: 7, failed: 0 })])).toEqual({ passed: 7, failed: 0 });
    expect(await run([many({ passed: 5, failed: 2 })])).toEqual({ passed: 5, failed: 2 });
    expect(printed).toContain('2 of its tests failed');
  });

  it("keeps the machines' directories only when asked to", async () => {
    await run([passes]);
    expect(scratch()).toEqual([]);
    await run([passes], true);
    expect(scratch()).toHaveLength(1);
  });

  it('tells a need that could not be made, once for all that have it', async () => {
    const needs = (name: string): Scenario => ({ ...passes, name, needs: ['off'] });
    expect(await run([needs('a/one'), needs('a/two'), passes])).toEqual({ passed: 1, failed: 2 });
    expect(printed.match(/what it needs \(off\) could not be made/gu)).toHaveLength(2);
  });
});
