/** `/1.0/debug/secureboot`: the measured boot and the variables of Secure Boot. */
import { SecureBootEventLog } from '@incusos/contracts/rest/security';
import type { UpdateSecureBootRequest } from '@incusos/contracts/security';
import { Body, Controller, Get, Inject, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Services } from '../grpc/services.ts';
import { timeLimits } from '../grpc/time-limits.ts';
import { answer } from '../http/answer.ts';
import { done, success } from '../http/envelope.ts';
import { uploadChunks } from '../http/request-body.ts';
import { reading } from '../http/request-call.ts';
import { urlList } from '../http/request-origin.ts';
import { Upload } from '../http/routes.ts';

/** Bytes of an archive of signed variable updates; a variable store has less than 1 MiB. */
const archiveLimitBytes = 16 * 1024 * 1024;

@Controller('/1.0/debug/secureboot')
export class SecureBootController {
  constructor(@Inject(Services) private readonly services: Services) {}

  @Get()
  list(@Req() request: FastifyRequest): string {
    return success(urlList(request.raw, '/1.0/debug/secureboot', ['event-log']));
  }

  @Get('event-log')
  async eventLog(): Promise<string> {
    const { log } = await this.services.security.getEventLog({}, reading());
    return answer(SecureBootEventLog, log);
  }

  @Upload('::update')
  async update(@Body() upload: unknown): Promise<string> {
    await this.services.security.updateSecureBoot(messages(upload), { timeoutMs: timeLimits.archive });
    return done;
  }
}

async function* messages(upload: unknown): AsyncGenerator<UpdateSecureBootRequest> {
  for await (const chunk of uploadChunks(upload, archiveLimitBytes)) yield { chunk };
}
