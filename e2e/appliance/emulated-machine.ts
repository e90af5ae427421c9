/** An emulated machine: its files are files of this computer below `root`, its services processes of it. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LocalPrograms } from '@incusos/host';
import { checkout } from './checkout.ts';
import type { Machine } from './machine.ts';
import { killService } from './services.ts';

export class EmulatedMachine implements Machine {
  readonly kind = 'emulated';
  readonly hostAddress = '127.0.0.1';
  readonly directory: string;
  private readonly programs = new LocalPrograms();

  constructor(directory: string) {
    this.directory = directory;
  }

  get authorities(): string {
    return join(this.directory, 'pki');
  }

  async hardware(...words: string[]): Promise<string> {
    const { stdout } = await this.programs.run(
      [join(checkout, 'bin/machine'), '--dir', this.directory, ...words],
      { timeoutMs: 60_000, env: { HOME: process.env['HOME'] ?? '/root' } },
    );
    return stdout;
  }

  list(path: string): Promise<string[]> {
    try {
      return Promise.resolve(readdirSync(this.file(path)).toSorted());
    } catch {
      return Promise.resolve([]);
    }
  }

  readText(path: string): Promise<string> {
    return Promise.resolve(readFileSync(this.file(path), 'utf8'));
  }

  writeText(path: string, text: string): Promise<void> {
    writeFileSync(this.file(path), text);
    return Promise.resolve();
  }

  kill(service: string): Promise<void> {
    return killService(this.directory, service);
  }

  async fillDisk(directory: string): Promise<void> {
    await this.hardware('disk', 'fill', directory);
  }

  async freeDisk(directory: string): Promise<void> {
    await this.hardware('disk', 'free', directory);
  }

  private file(path: string): string {
    return join(this.directory, 'root', path);
  }
}
