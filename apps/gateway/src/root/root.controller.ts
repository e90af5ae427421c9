/** `/` and `/1.0`, which over HTTPS without our prefix are the roots of Incus' API. */
import { ServerRoot } from '@incusos/contracts/rest/system';
import { Controller, Get, Inject, Req } from '@nestjs/common';
import { DomainError } from '@incusos/service';
import type { FastifyRequest } from 'fastify';
import { Services } from '../grpc/services.ts';
import { answer } from '../http/answer.ts';
import { success } from '../http/envelope.ts';
import { reading } from '../http/request-call.ts';
import { remoteOrigin, urlPrefix } from '../http/request-origin.ts';
import { SERVER_IDENTITY } from '../listeners/tokens.ts';
import type { ServerIdentity } from '../listeners/https-listener.ts';
import { incusServer } from './incus-server.ts';

/** The client asks before every command: it should not wait for a name. */
const environmentTimeoutMs = 1_000;

@Controller()
export class RootController {
  constructor(
    @Inject(Services) private readonly services: Services,
    @Inject(SERVER_IDENTITY) private readonly identity: ServerIdentity,
  ) {}

  @Get('/')
  versions(@Req() request: FastifyRequest): string {
    const incus = remoteOrigin(request.raw)?.incusPath === true;
    return success(JSON.stringify([`${incus ? '' : urlPrefix(request.raw)}/1.0`]));
  }

  @Get('/1.0')
  async root(@Req() request: FastifyRequest): Promise<string> {
    if (remoteOrigin(request.raw)?.incusPath === true) return this.incus();
    const { environment } = await this.services.system.getEnvironment({}, reading());
    return answer(ServerRoot, { environment });
  }

  /** The system service's being away must not keep the client from the other services. */
  private async incus(): Promise<string> {
    try {
      const { environment } = await this.services.system.getEnvironment(
        {},
        reading({ timeoutMs: environmentTimeoutMs }),
      );
      return incusServer(this.identity, environment);
    } catch (error) {
      if (error instanceof DomainError) return incusServer(this.identity, undefined);
      throw error;
    }
  }
}
