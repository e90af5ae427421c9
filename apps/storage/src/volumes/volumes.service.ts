/** Volumes: first-level datasets of pools, made for an application. */
import type { CreateVolumeRequest, DeleteVolumeRequest } from '@incusos/contracts/storage';
import { HOST, type Host, ProgramError } from '@incusos/host';
import { DomainError, invalidField } from '@incusos/service';
import { Inject, Injectable } from '@nestjs/common';
import { Inventory } from '../inventory/inventory.ts';
import { saidBy, zfsFailure } from '../pools/zfs-error.ts';

const uses = ['incus', 'linstor'];

function requireNames(pool: string, name: string): void {
  if (pool === '') throw invalidField('pool', 'no pool name provided');
  if (pool.includes('/')) throw invalidField('pool', 'invalid pool name provided');
  if (name === '') throw invalidField('name', 'no volume name provided');
  // Anything else would be an option, a snapshot or a dataset further down to the tool.
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.:-]*$/u.test(name) || pool.length + name.length > 254)
    throw invalidField('name', 'invalid volume name provided');
}

@Injectable()
export class VolumesService {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(Inventory) private readonly inventory: Inventory,
  ) {}

  async create({ pool, name, quota, use }: CreateVolumeRequest): Promise<void> {
    requireNames(pool, name);
    if (use === '') throw invalidField('use', 'no volume use provided');
    if (!uses.includes(use)) throw invalidField('use', 'invalid volume use provided');
    if (quota < 0n) throw invalidField('quota', 'invalid volume quota provided');
    const { survey } = await this.inventory.refresh();
    if (survey.status(pool) === undefined)
      throw new DomainError('NOT_FOUND', `zpool '${pool}' doesn't exist`);
    if (survey.datasets.some((dataset) => dataset.name === `${pool}/${name}`))
      throw new DomainError('CONFLICT', `volume '${name}' already exists in zpool '${pool}'`);
    const properties = [`incusos:use=${use}`];
    // Linstor brings volumes of its own, which it encrypts or not as it is told.
    if (use === 'linstor') properties.push('encryption=off');
    if (quota > 0n) properties.push(`quota=${quota}`);
    await this.run(
      ['zfs', 'create', ...properties.flatMap((property) => ['-o', property]), `${pool}/${name}`],
      `unable to create volume '${name}' in zpool '${pool}'`,
    );
  }

  async delete({ pool, name, force }: DeleteVolumeRequest): Promise<void> {
    requireNames(pool, name);
    const { survey } = await this.inventory.refresh();
    if (survey.status(pool) === undefined)
      throw new DomainError('NOT_FOUND', `zpool '${pool}' doesn't exist`);
    if (!survey.datasets.some((dataset) => dataset.name === `${pool}/${name}`))
      throw new DomainError('NOT_FOUND', `volume '${name}' doesn't exist in zpool '${pool}'`);
    await this.run(
      ['zfs', 'destroy', ...(force ? ['-R'] : []), `${pool}/${name}`],
      `unable to delete volume '${name}' in zpool '${pool}'`,
    );
  }

  private async run(argv: [string, ...string[]], doing: string): Promise<void> {
    try {
      await this.host.programs.run(argv, { timeoutMs: 120_000 });
    } catch (error) {
      if (error instanceof ProgramError && error.stderr.includes('has children'))
        throw new DomainError('PRECONDITION_FAILED', `${doing}: ${saidBy(error)}`, { cause: error });
      throw zfsFailure(error, doing);
    } finally {
      this.inventory.invalidate();
    }
  }
}
