/**
 * Drives that are encrypted as a whole with LUKS2. A drive whose key file is there is opened at every start as
 * `/dev/mapper/luks-<name>`.
 */
import type { EncryptDriveRequest, ImportEncryptedDriveRequest } from '@incusos/contracts/storage';
import { HOST, type Host, ProgramError } from '@incusos/host';
import { DomainError, LOGGER, type Logger } from '@incusos/service';
import { Inject, Injectable } from '@nestjs/common';
import { Inventory } from '../inventory/inventory.ts';
import { decodeKey, driveKeyNames, driveKeyPath, keyBytes, newKey, writeKey } from '../keys.ts';
import { WipeService } from '../wipe/wipe.service.ts';

const directory = '/dev/disk/by-id/';
const cryptsetupTimeoutMs = 120_000;

function saidBy(error: ProgramError): string {
  return error.stderr === '' ? error.message : error.stderr;
}

@Injectable()
export class DriveEncryption {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(Inventory) private readonly inventory: Inventory,
    @Inject(WipeService) private readonly wipes: WipeService,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Wipes a drive and encrypts it with a new key. */
  async encrypt({ id, secure_wipe }: EncryptDriveRequest): Promise<void> {
    const name = this.nameOf(id);
    await this.wipes.wipe({ id, secure_wipe });
    await this.withKey(name, newKey(), async (path) => {
      const format = ['cryptsetup', 'luksFormat', '-q', '--type', 'luks2', '--key-file', path, id] as const;
      await this.host.programs.run(format, { timeoutMs: cryptsetupTimeoutMs });
      await this.open(id, name);
    });
  }

  /** Opens a drive that was encrypted elsewhere, and keeps its key. */
  async import({ id, key: encoded }: ImportEncryptedDriveRequest): Promise<void> {
    const name = this.nameOf(id);
    const { drives } = await this.inventory.refresh();
    const drive = drives.find((candidate) => candidate.id === id);
    if (drive === undefined) throw new DomainError('NOT_FOUND', `drive '${id}' doesn't exist`);
    if (drive.encrypted === true) throw new DomainError('CONFLICT', `drive '${id}' is imported already`);
    const key = decodeKey(encoded);
    if (key === undefined) throw new DomainError('INVALID_REQUEST', 'the encryption key is not base64');
    if (key.length !== keyBytes) {
      throw new DomainError(
        'INVALID_REQUEST',
        `expected a ${keyBytes} byte raw encryption key, got ${key.length} bytes`,
      );
    }
    await this.withKey(name, key, () => this.open(id, name));
  }

  /** Opens every drive that we hold a key for, all at once. One that is missing is a warning. */
  async openAll(): Promise<void> {
    const names = await driveKeyNames(this.host.files);
    await Promise.all(
      [...names].map(async (name) => {
        try {
          if (!(await this.host.files.exists(`/dev/mapper/luks-${name}`)))
            await this.open(`${directory}${name}`, name);
        } catch (error) {
          if (!(error instanceof ProgramError)) throw error;
          this.logger.warn('an encrypted drive could not be opened', { drive: name, error: saidBy(error) });
        }
      }),
    );
  }

  private async open(id: string, name: string): Promise<void> {
    await this.host.programs.run(
      ['cryptsetup', 'open', '--key-file', driveKeyPath(name), id, `luks-${name}`],
      {
        timeoutMs: cryptsetupTimeoutMs,
      },
    );
  }

  /** Runs something with the key on disk, where it stays only if that worked. */
  private async withKey(name: string, key: Buffer, work: (path: string) => Promise<void>): Promise<void> {
    const path = driveKeyPath(name);
    try {
      await writeKey(this.host.files, path, key);
      await work(path);
    } catch (error) {
      await this.host.files.remove(path);
      if (!(error instanceof ProgramError)) throw error;
      const wrongKey = error.stderr.includes('No key available');
      throw new DomainError(
        wrongKey ? 'INVALID_REQUEST' : 'OPERATION_FAILED',
        `drive '${directory}${name}' could not be opened: ${saidBy(error)}`,
        { cause: error },
      );
    } finally {
      this.inventory.invalidate();
    }
  }

  private nameOf(id: string): string {
    if (id === '')
      throw new DomainError('INVALID_REQUEST', 'no drive specified', {
        fields: [{ field: 'id', reason: 'must be given' }],
      });
    const name = id.slice(directory.length);
    if (!id.startsWith(directory) || name === '' || name.includes('/')) {
      throw new DomainError('INVALID_REQUEST', 'invalid disk id', {
        fields: [{ field: 'id', reason: `must begin with ${directory}` }],
      });
    }
    return name;
  }
}
