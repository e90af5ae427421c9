/** `/1.0/system/storage`. */
import { bodies } from '@incusos/contracts/dto';
import { SystemStorage } from '@incusos/contracts/rest/storage';
import type {
  CreateVolumeRequest,
  DeletePoolRequest,
  DeleteVolumeRequest,
  EncryptDriveRequest,
  ImportEncryptedDriveRequest,
  ImportPoolRequest,
  ScrubPoolRequest,
  SetConfigRequest,
  TrimPoolRequest,
  WipeDriveRequest,
} from '@incusos/contracts/storage';
import { Controller, Get, Inject, Put, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Services } from '../grpc/services.ts';
import { timeLimits } from '../grpc/time-limits.ts';
import { answer } from '../http/answer.ts';
import { done } from '../http/envelope.ts';
import { OptionalBody } from '../http/json-body.ts';
import { LongReply } from '../http/long-reply.ts';
import { reading } from '../http/request-call.ts';
import { Action } from '../http/routes.ts';

const long = { timeoutMs: timeLimits.storage } as const;

@Controller('/1.0/system/storage')
export class StorageController {
  constructor(
    @Inject(Services) private readonly services: Services,
    @Inject(LongReply) private readonly longReply: LongReply,
  ) {}

  @Get()
  async show(): Promise<string> {
    const { storage } = await this.services.storage.getStorage({}, reading());
    return answer(SystemStorage, storage);
  }

  @Put()
  async setConfig(@OptionalBody(bodies.storageConfig) body: SetConfigRequest): Promise<string> {
    await this.services.storage.setConfig(body, long);
    return done;
  }

  @Action('::delete-pool')
  async deletePool(@OptionalBody(bodies.deletePool) body: DeletePoolRequest): Promise<string> {
    await this.services.storage.deletePool(body, long);
    return done;
  }

  /** Overwriting a drive takes up to days, in which the client has to see that someone is there. */
  @Action('::wipe-drive')
  async wipeDrive(
    @OptionalBody(bodies.wipeDrive) body: WipeDriveRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.longReply.send(reply, this.services.storage.wipeDrive(body, { timeoutMs: timeLimits.wipe }));
  }

  /** Wipes the drive first. */
  @Action('::encrypt-drive')
  async encryptDrive(
    @OptionalBody(bodies.encryptDrive) body: EncryptDriveRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.longReply.send(
      reply,
      this.services.storage.encryptDrive(body, { timeoutMs: timeLimits.wipe }),
    );
  }

  @Action('::import-encrypted-drive')
  async importEncryptedDrive(
    @OptionalBody(bodies.importEncryptedDrive) body: ImportEncryptedDriveRequest,
  ): Promise<string> {
    await this.services.storage.importEncryptedDrive(body, long);
    return done;
  }

  @Action('::import-pool')
  async importPool(@OptionalBody(bodies.importPool) body: ImportPoolRequest): Promise<string> {
    await this.services.storage.importPool(body, long);
    return done;
  }

  @Action('::create-volume')
  async createVolume(@OptionalBody(bodies.createVolume) body: CreateVolumeRequest): Promise<string> {
    await this.services.storage.createVolume(body, long);
    return done;
  }

  @Action('::delete-volume')
  async deleteVolume(@OptionalBody(bodies.deleteVolume) body: DeleteVolumeRequest): Promise<string> {
    await this.services.storage.deleteVolume(body, long);
    return done;
  }

  @Action('::scrub-pool')
  async scrubPool(@OptionalBody(bodies.scrubPool) body: ScrubPoolRequest): Promise<string> {
    await this.services.storage.scrubPool(body);
    return done;
  }

  @Action('::trim-pool')
  async trimPool(@OptionalBody(bodies.trimPool) body: TrimPoolRequest): Promise<string> {
    await this.services.storage.trimPool(body);
    return done;
  }

  @Action('::rescan-scsi')
  async rescanScsi(): Promise<string> {
    await this.services.storage.rescanScsi({}, long);
    return done;
  }

  @Action('::cleanup-root')
  async cleanupRoot(): Promise<string> {
    await this.services.storage.cleanupRoot({}, long);
    return done;
  }
}
