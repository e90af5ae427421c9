/** Backup, restore and reset of the appliance's own state. */
import type { RestoreRequest, SystemReset } from '@incusos/contracts/backup';
import { bodies } from '@incusos/contracts/dto';
import { Body, Controller, Inject, Req, Res } from '@nestjs/common';
import { DomainError } from '@incusos/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Services } from '../grpc/services.ts';
import { timeLimits } from '../grpc/time-limits.ts';
import { done, success } from '../http/envelope.ts';
import { OptionalBody, RequiredBody } from '../http/json-body.ts';
import { queryValues } from '../http/query.ts';
import { uploadChunks } from '../http/request-body.ts';
import { Action, Upload } from '../http/routes.ts';
import { sendBytes } from '../http/stream-reply.ts';
import { type RecoverState, recoverState } from './recover-state.body.ts';

/** Bytes of a backup of the OS, which holds configuration and keys only. */
const archiveLimitBytes = 64 * 1024 * 1024;

@Controller('/1.0/system')
export class BackupController {
  constructor(@Inject(Services) private readonly services: Services) {}

  @Action('::backup')
  async backup(@Res() reply: FastifyReply): Promise<void> {
    const chunks = this.services.backup.createBackup({}, { timeoutMs: timeLimits.archive });
    await sendBytes(reply, 'application/gzip', chunks);
  }

  @Upload('::restore')
  async restore(@Req() request: FastifyRequest, @Body() upload: unknown): Promise<string> {
    const skip = queryValues(request, 'skip').flatMap((list) =>
      list.split(',').filter((token) => token !== ''),
    );
    await this.services.backup.restore(restoreMessages(skip, upload), { timeoutMs: timeLimits.archive });
    return done;
  }

  @Action('::factory-reset')
  async factoryReset(@OptionalBody(bodies.factoryReset) reset: SystemReset): Promise<string> {
    await this.services.backup.factoryReset({ reset }, { timeoutMs: timeLimits.security });
    return done;
  }

  /** Ends a service's refusal of its state file: it goes on with the previous version or from the beginning. */
  @Action('::recover-state')
  async recoverState(@RequiredBody(recoverState) { service, use }: RecoverState): Promise<string> {
    const owner = this.services.stateOwner(service);
    if (owner === undefined)
      throw new DomainError('NOT_FOUND', `there is no service named ${JSON.stringify(service)}`);
    const { refused_file } = await owner.recoverState({ use });
    return success(JSON.stringify({ refused_file }));
  }
}

async function* restoreMessages(skip: string[], upload: unknown): AsyncGenerator<RestoreRequest> {
  yield { skip, chunk: Buffer.alloc(0) };
  for await (const chunk of uploadChunks(upload, archiveLimitBytes)) yield { skip: [], chunk };
}
