/** The keys with which pools and drives can be opened on another machine. */
import type { ListRecoveryKeysResponse } from '@incusos/contracts/storage';
import { HOST, type Host } from '@incusos/host';
import { Inject, Injectable } from '@nestjs/common';
import { driveKeyNames, driveKeyPath, poolKeyNames, poolKeyPath } from './keys.ts';

@Injectable()
export class RecoveryKeys {
  constructor(@Inject(HOST) private readonly host: Host) {}

  async list(): Promise<ListRecoveryKeysResponse> {
    const [pools, drives] = await Promise.all([
      poolKeyNames(this.host.files),
      driveKeyNames(this.host.files),
    ]);
    const [poolKeys, driveKeys] = await Promise.all([
      Promise.all([...pools].map((name) => this.entry(name, poolKeyPath(name)))),
      Promise.all([...drives].map((name) => this.entry(`/dev/disk/by-id/${name}`, driveKeyPath(name)))),
    ]);
    return { pools: Object.fromEntries(poolKeys), drives: Object.fromEntries(driveKeys) };
  }

  private async entry(name: string, path: string): Promise<[string, string]> {
    return [name, (await this.host.files.readBytes(path)).toString('base64')];
  }
}
