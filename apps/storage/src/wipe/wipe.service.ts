/** Wipes a drive that someone named. */
import { HOST, type Host } from '@incusos/host';
import { DomainError } from '@incusos/service';
import type { WipeDriveRequest } from '@incusos/contracts/storage';
import { Inject, Injectable } from '@nestjs/common';
import { Inventory } from '../inventory/inventory.ts';
import { driveKeyPath } from '../keys.ts';
import { Wiper } from './wiper.ts';

@Injectable()
export class WipeService {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(Inventory) private readonly inventory: Inventory,
    @Inject(Wiper) private readonly wiper: Wiper,
  ) {}

  async wipe({ id, secure_wipe }: WipeDriveRequest): Promise<void> {
    if (id === '')
      throw new DomainError('INVALID_REQUEST', 'no drive specified', {
        fields: [{ field: 'id', reason: 'must be given' }],
      });
    const { drives } = await this.inventory.refresh();
    const drive = drives.find((candidate) => candidate.id === id);
    if (drive === undefined) throw new DomainError('NOT_FOUND', `drive '${id}' doesn't exist`);
    if (drive.boot) throw new DomainError('INVALID_REQUEST', 'cannot wipe boot drive');
    if (drive.member_pool !== undefined)
      throw new DomainError('INVALID_REQUEST', `cannot wipe drive belonging to pool '${drive.member_pool}'`);
    try {
      if (drive.encrypted === true) await this.forgetKey(id.slice(id.lastIndexOf('/') + 1));
      await this.wiper.wipe(id, drive.capacity_in_bytes, secure_wipe);
    } finally {
      this.inventory.invalidate();
    }
  }

  private async forgetKey(name: string): Promise<void> {
    if (await this.host.files.exists(`/dev/mapper/luks-${name}`))
      await this.host.programs.run(['cryptsetup', 'close', `luks-${name}`]);
    await this.host.files.remove(driveKeyPath(name));
  }
}
