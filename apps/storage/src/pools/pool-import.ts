/** Imports pools that were made elsewhere. Whatever fails after the import itself exports the pool again. */
import { HOST, type Host, ProgramError } from '@incusos/host';
import { DomainError } from '@incusos/service';
import type { ImportPoolRequest } from '@incusos/contracts/storage';
import { Inject, Injectable } from '@nestjs/common';
import { Inventory } from '../inventory/inventory.ts';
import { decodeKey, keyBytes, poolKeyPath, writeKey } from '../keys.ts';
import { nameProblem } from './pool-rules.ts';
import { isNoSuchPool, saidBy, zfsFailure } from './zfs-error.ts';

/** Where members are looked for: names that stay the same, best first. */
const searchPath = [
  '-d',
  '/dev/disk/by-id',
  '-d',
  '/dev/disk/by-partlabel',
  '-d',
  '/dev/disk/by-path',
  '-d',
  '/dev/mapper',
] as const;
const importTimeoutMs = 10 * 60_000;

/** `zpool import` of one pool, without mounting anything. */
export function importArgv(name: string, force = false): [string, ...string[]] {
  return ['zpool', 'import', ...(force ? ['-f'] : []), '-N', ...searchPath, name];
}

@Injectable()
export class PoolImport {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(Inventory) private readonly inventory: Inventory,
  ) {}

  async import({ name, type, encryption_key, force }: ImportPoolRequest): Promise<void> {
    if (name === '' || type === '') throw new DomainError('INVALID_REQUEST', 'missing pool name and type');
    if (type !== 'zfs') throw new DomainError('INVALID_REQUEST', `unsupported pool type '${type}'`);
    const unusable = nameProblem(name);
    if (unusable !== undefined)
      throw new DomainError('INVALID_REQUEST', `no zpool is called '${name}': ${unusable}`);
    if ((await this.inventory.refresh()).survey.status(name) !== undefined)
      throw new DomainError('CONFLICT', `zpool '${name}' already exists`);
    await this.host.programs
      .run(importArgv(name, force), { timeoutMs: importTimeoutMs })
      .catch((error: unknown) => {
        if (error instanceof ProgramError && isNoSuchPool(error))
          throw new DomainError('NOT_FOUND', saidBy(error), { cause: error });
        throw zfsFailure(error, `unable to import zpool '${name}'`);
      });
    try {
      await this.unlock(name, encryption_key);
    } catch (error) {
      await this.host.programs.run(['zpool', 'export', name], { timeoutMs: importTimeoutMs });
      throw error instanceof DomainError ? error : zfsFailure(error, `unable to import zpool '${name}'`);
    } finally {
      this.inventory.invalidate();
    }
  }

  private async unlock(name: string, encodedKey: string): Promise<void> {
    const properties = await this.properties(name);
    if (properties['encryption'] === 'off') {
      if (encodedKey !== '')
        throw new DomainError(
          'INVALID_REQUEST',
          `attempted to import unencrypted pool '${name}', but an encryption key was provided`,
        );
      return;
    }
    if (properties['keyformat'] !== 'raw')
      throw new DomainError(
        'INVALID_REQUEST',
        `refusing to import encrypted pool '${name}' that doesn't use a raw encryption key`,
      );
    const key = decodeKey(encodedKey);
    if (key === undefined)
      throw new DomainError('INVALID_REQUEST', `the encryption key for pool '${name}' is not base64`);
    if (key.length !== keyBytes)
      throw new DomainError(
        'INVALID_REQUEST',
        `expected a ${keyBytes} byte raw encryption key for pool '${name}', got ${key.length} bytes`,
      );
    await this.takeKey(name, key);
  }

  private async takeKey(name: string, key: Buffer): Promise<void> {
    const path = poolKeyPath(name);
    const had = await this.host.files.exists(path);
    if (had && !(await this.host.files.readBytes(path)).equals(key))
      throw new DomainError('CONFLICT', `another encryption key for '${name}' already exists`);
    await writeKey(this.host.files, path, key);
    try {
      await this.host.programs.run(['zfs', 'load-key', '-L', `file://${path}`, name]);
      await this.host.programs.run(['zfs', 'set', `keylocation=file://${path}`, name]);
    } catch (error) {
      if (!had) await this.host.files.remove(path);
      if (error instanceof ProgramError && error.stderr.includes('Incorrect key'))
        throw new DomainError('INVALID_REQUEST', saidBy(error), { cause: error });
      throw error;
    }
  }

  private async properties(name: string): Promise<Record<string, string>> {
    const { stdout } = await this.host.programs.run([
      'zfs',
      'get',
      '-H',
      '-p',
      '-o',
      'property,value',
      'encryption,keyformat',
      name,
    ]);
    const lines = stdout.split('\n').filter((line) => line !== '');
    return Object.fromEntries(lines.map((line) => [line.split('\t')[0] ?? '', line.split('\t')[1] ?? '']));
  }
}
