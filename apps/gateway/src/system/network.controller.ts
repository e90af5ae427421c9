/** `/1.0/system/network`. */
import { bodies } from '@incusos/contracts/dto';
import type { SetConfigRequest, SystemNetwork as Network } from '@incusos/contracts/network';
import { SystemNetwork, SystemNetworkPlan } from '@incusos/contracts/rest/network';
import { Controller, Get, Inject, Put, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Services } from '../grpc/services.ts';
import { timeLimits } from '../grpc/time-limits.ts';
import { answer } from '../http/answer.ts';
import { done } from '../http/envelope.ts';
import { RequiredBody } from '../http/json-body.ts';
import { queryFlag } from '../http/query.ts';
import { reading } from '../http/request-call.ts';
import { Action } from '../http/routes.ts';

@Controller('/1.0/system/network')
export class NetworkController {
  private shown: { readonly network: Network | undefined; readonly text: string } | undefined;

  constructor(@Inject(Services) private readonly services: Services) {}

  @Get()
  async show(): Promise<string> {
    const { network } = await this.services.network.getNetwork({}, reading({ sameAnswer: true }));
    // A large network is a long text, and it is asked for often.
    if (this.shown === undefined || this.shown.network !== network)
      this.shown = { network, text: answer(SystemNetwork, network) };
    return this.shown.text;
  }

  /** With `dry-run=1` it only tells what would change. */
  @Put()
  async setConfig(
    @RequiredBody(bodies.networkConfig) body: SetConfigRequest,
    @Req() request: FastifyRequest,
  ): Promise<string> {
    if (queryFlag(request, 'dry-run')) {
      const { plan } = await this.services.network.planConfig(body, {
        timeoutMs: timeLimits.networkConfig,
      });
      return answer(SystemNetworkPlan, plan);
    }
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
