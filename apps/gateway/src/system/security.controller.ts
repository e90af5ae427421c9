/** `/1.0/system/security` and the fallback listener that trusts the same clients. */
import { bodies } from '@incusos/contracts/dto';
import { SystemFallbackListener, SystemSecurity } from '@incusos/contracts/rest/security';
import type {
  SetConfigRequest,
  SystemFallbackListener as FallbackListener,
} from '@incusos/contracts/security';
import { Controller, Get, Inject, Put } from '@nestjs/common';
import { Services } from '../grpc/services.ts';
import { timeLimits } from '../grpc/time-limits.ts';
import { answer } from '../http/answer.ts';
import { done } from '../http/envelope.ts';
import { OptionalBody, RequiredBody } from '../http/json-body.ts';
import { reading } from '../http/request-call.ts';
import { Action } from '../http/routes.ts';

@Controller('/1.0/system')
export class SecurityController {
  constructor(@Inject(Services) private readonly services: Services) {}

  @Get('security')
  async show(): Promise<string> {
    const { security } = await this.services.security.getSecurity({}, reading());
    return answer(SystemSecurity, security);
  }

  @Put('security')
  async setConfig(@RequiredBody(bodies.securityConfig) body: SetConfigRequest): Promise<string> {
    await this.services.security.setConfig(body, { timeoutMs: timeLimits.security });
    return done;
  }

  @Action('security/::retrieved')
  async retrieved(): Promise<string> {
    await this.services.security.markRecoveryKeysRetrieved({});
    return done;
  }

  @Action('security/::tpm-rebind')
  async tpmRebind(): Promise<string> {
    await this.services.security.rebindTpm({}, { timeoutMs: timeLimits.security });
    return done;
  }

  @Get('fallback-listener')
  async fallbackListener(): Promise<string> {
    const { fallback_listener } = await this.services.trust.getFallbackListener({}, reading());
    return answer(SystemFallbackListener, fallback_listener);
  }

  @Put('fallback-listener')
  async setFallbackListener(
    @OptionalBody(bodies.fallbackListener) fallback_listener: FallbackListener,
  ): Promise<string> {
    await this.services.trust.setFallbackListener({ fallback_listener });
    return done;
  }
}
