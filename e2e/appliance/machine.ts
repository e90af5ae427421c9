/** The hardware under test, changed from outside. */
import { join } from 'node:path';
import { LocalPrograms } from '@incusos/host';
import { checkout } from './running.ts';

const programs = new LocalPrograms();

/** Runs `npm run machine` with these words and gives what it prints. */
export async function machine(directory: string, ...words: string[]): Promise<string> {
  const { stdout } = await programs.run([join(checkout, 'bin/machine'), '--dir', directory, ...words], {
    timeoutMs: 60_000,
    env: { HOME: process.env['HOME'] ?? '/root' },
  });
  return stdout;
}
