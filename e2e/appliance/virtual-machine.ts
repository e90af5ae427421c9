/** A virtual machine: looked into by the root shell that machines under test have, changed by whoever runs it. */
import { join } from 'node:path';
import { LocalPrograms } from '@incusos/host';
import { guestSocket, succeedInGuest } from '../vm/harness/guest.ts';
import { checkout } from './checkout.ts';
import type { Machine } from './machine.ts';

/** A file that takes what is left of a disk. */
const filler = 'taken-by-a-test';
const noSuchUnit = 'no such unit runs';

export class VirtualMachine implements Machine {
  readonly kind = 'virtual';
  /** QEMU's user network: this computer's loopback, seen from the guest. */
  readonly hostAddress = '10.0.2.2';
  readonly directory: string;
  private readonly programs = new LocalPrograms();

  constructor(directory: string) {
    this.directory = directory;
  }

  get authorities(): string {
    return process.env['INCUSOS_KEYS'] ?? join(checkout, 'image/keys');
  }

  async hardware(...words: string[]): Promise<string> {
    const { stdout } = await this.programs.run(
      [join(checkout, 'bin/vm'), 'ctl', '--dir', this.directory, ...words],
      { timeoutMs: 120_000, env: { HOME: process.env['HOME'] ?? '/root' } },
    );
    return stdout;
  }

  async list(path: string): Promise<string[]> {
    const names = await this.run(`ls -1A ${quoted(path)} 2>/dev/null || :`);
    return names
      .split('\n')
      .filter((name) => name !== '')
      .toSorted();
  }

  async readText(path: string): Promise<string> {
    return Buffer.from(await this.run(`base64 ${quoted(path)}`), 'base64').toString();
  }

  async writeText(path: string, text: string): Promise<void> {
    await this.run(`echo ${Buffer.from(text).toString('base64')} | base64 -d >${quoted(path)}`);
  }

  async kill(service: string): Promise<void> {
    const unit = service === 'valkey' ? 'valkey-jobs.service' : `incus-os-${service}.service`;
    await this.run(
      `systemctl is-active --quiet ${unit} || { echo '${unit}: ${noSuchUnit}'; exit 1; }
       systemctl kill --kill-whom=main --signal=SIGKILL ${unit}`,
    );
  }

  async fillDisk(directory: string): Promise<void> {
    // What can't be allocated in one piece is in smaller ones; the file system keeps some blocks to itself until the end.
    await this.run(
      `cd ${quoted(directory)}
       for size in 1G 64M 1M; do
         n=0
         while fallocate --length $size ${filler}.$size.$n 2>/dev/null; do n=$((n + 1)); done
         rm -f ${filler}.$size.$n
       done
       cat /dev/zero >${filler}.rest 2>/dev/null || :
       sync ${filler}.rest`,
    );
  }

  async freeDisk(directory: string): Promise<void> {
    await this.run(`rm -f ${quoted(directory)}/${filler}.*`);
  }

  private run(script: string): Promise<string> {
    return succeedInGuest(join(this.directory, guestSocket), script, 300_000);
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
