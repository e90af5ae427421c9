import { rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LocalPrograms } from '@incusos/host';
import { afterEach, describe, expect, it } from 'vitest';

const checkout = resolve(import.meta.dirname, '../..');
const probe = 'apps/backup/src/boundary-probe.ts';

afterEach(() => rmSync(join(checkout, probe), { force: true }));

async function lint(code: string): Promise<{ exitCode: number; stdout: string }> {
  writeFileSync(join(checkout, probe), code);
  return new LocalPrograms().run([join(checkout, 'bin/lint'), probe], {
    acceptExitCodes: 'any',
    timeoutMs: 180_000,
    env: { HOME: process.env['HOME'] ?? '/root' },
  });
}

describe('npm run lint', () => {
  it('passes a file that keeps to its room', async () => {
    const { exitCode, stdout } = await lint(
      "import type { Host } from '@incusos/host';\n\nexport type Door = Host;\n",
    );
    expect(stdout).toBe('');
    expect(exitCode).toBe(0);
  });

  it('fails when an app imports an app', async () => {
    const { exitCode, stdout } = await lint("export * from '../../network/src/network.module.ts';\n");
    expect(exitCode).not.toBe(0);
    expect(stdout).toContain('@nx/enforce-module-boundaries');
  });

  it('fails when an app imports an app by its package name', async () => {
    const { exitCode, stdout } = await lint("export * from '@incusos/app-network';\n");
    expect(exitCode).not.toBe(0);
    expect(stdout).toContain('Imports of apps are forbidden');
  });

  it('fails when anything but the door to the machine starts programs', async () => {
    const { exitCode, stdout } = await lint("export { spawn } from 'node:child_process';\n");
    expect(exitCode).not.toBe(0);
    expect(stdout).toContain('Only libs/host starts programs');
  });

  it('fails when an app touches files', async () => {
    const { exitCode, stdout } = await lint("export { readFile } from 'node:fs/promises';\n");
    expect(exitCode).not.toBe(0);
    expect(stdout).toContain('Only libs/host touches files');
  });

  it('fails when the shipped code reaches for the emulated machine', async () => {
    const { exitCode, stdout } = await lint("export { openHost } from '@incusos/host-emulated';\n");
    expect(exitCode).not.toBe(0);
    expect(stdout).toContain('@nx/enforce-module-boundaries');
  });
});
