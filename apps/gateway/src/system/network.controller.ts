/** `/1.0/system/network`. */
import { bodies } from '@incusos/contracts/dto';
import type { SetConfigRequest } from '@incusos/contracts/network';
import { SystemNetwork } from '@incusos/contracts/rest/network';
import { Controller, Get, Inject, Put } from '@nestjs/common';
import { Services } from '../grpc/services.ts';
import { timeLimits } from '../grpc/time-limits.ts';
import { answer } from '../http/answer.ts';
import { done } from '../http/envelope.ts';
import { RequiredBody } from '../http/json-body.ts';
import { reading } from '../http/request-call.ts';
import { Action } from '../http/routes.ts';

@Controller('/1.0/system/network')
export class NetworkController {
  constructor(@Inject(Services) private readonly services: Services) {}

  @Get()
  async show(): Promise<string> {
    const { network } = await this.services.network.getNetwork({}, reading());
    return answer(SystemNetwork, network);
  }

  @Put()
  async setConfig(@RequiredBody(bodies.networkConfig) body: SetConfigRequest): Promise<string> {
    await this.services.network.setConfig(body, { timeoutMs: timeLimits.networkConfig });
    return done;
  }

  @Action('::confirm')
  async confirm(): Promise<string> {
    await this.services.network.confirmConfig({});
    return done;
  }

  @Action('::flush-dns')
  async flushDns(): Promise<string> {
    await this.services.network.flushDns({});
    return done;
  }
}
