/** `/1.0/system/update` and the provider that the updates come from. */
import { bodies } from '@incusos/contracts/dto';
import { SystemProvider, SystemUpdate } from '@incusos/contracts/rest/update';
import type {
  CheckRequest,
  ProviderServiceSetConfigRequest,
  SetConfigRequest,
} from '@incusos/contracts/update';
import { Controller, Get, Inject, Put } from '@nestjs/common';
import { Services } from '../grpc/services.ts';
import { timeLimits } from '../grpc/time-limits.ts';
import { answer } from '../http/answer.ts';
import { done } from '../http/envelope.ts';
import { OptionalBody, RequiredBody } from '../http/json-body.ts';
import { reading } from '../http/request-call.ts';
import { Action } from '../http/routes.ts';

@Controller('/1.0/system')
export class UpdateController {
  constructor(@Inject(Services) private readonly services: Services) {}

  @Get('update')
  async show(): Promise<string> {
    const { update } = await this.services.update.getUpdate({}, reading());
    return answer(SystemUpdate, update);
  }

  @Put('update')
  async setConfig(@RequiredBody(bodies.updateConfig) body: SetConfigRequest): Promise<string> {
    await this.services.update.setConfig(body);
    return done;
  }

  @Action('update/::check')
  async check(@OptionalBody(bodies.updateCheck) body: CheckRequest): Promise<string> {
    await this.services.update.check(body, { timeoutMs: timeLimits.download });
    return done;
  }

  @Get('provider')
  async provider(): Promise<string> {
    const { provider } = await this.services.provider.getProvider({}, reading());
    return answer(SystemProvider, provider);
  }

  @Put('provider')
  async setProvider(
    @RequiredBody(bodies.providerConfig) body: ProviderServiceSetConfigRequest,
  ): Promise<string> {
    await this.services.provider.setConfig(body, { timeoutMs: timeLimits.units });
    return done;
  }
}
