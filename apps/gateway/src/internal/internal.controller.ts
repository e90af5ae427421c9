/** `/internal`: what the applications on the appliance ask of it. */
import { bodies } from '@incusos/contracts/dto';
import { AuthenticationRegister } from '@incusos/contracts/rest/images';
import { InternalSecureBootCertificates } from '@incusos/contracts/rest/security';
import type { GenerateRegistrationRequest } from '@incusos/contracts/security';
import type { DebugTUI } from '@incusos/contracts/system';
import { Controller, Get, Inject, UseGuards } from '@nestjs/common';
import { Services } from '../grpc/services.ts';
import { answer } from '../http/answer.ts';
import { done, success } from '../http/envelope.ts';
import { OptionalBody, RequiredBody } from '../http/json-body.ts';
import { reading } from '../http/request-call.ts';
import { Action } from '../http/routes.ts';
import { LocalOnlyGuard } from './local-only.guard.ts';

@Controller('/internal')
@UseGuards(LocalOnlyGuard)
export class InternalController {
  constructor(@Inject(Services) private readonly services: Services) {}

  @Action('auth/::generate-registration')
  async generateRegistration(
    @RequiredBody(bodies.generateRegistration) body: GenerateRegistrationRequest,
  ): Promise<string> {
    const { registration } = await this.services.security.generateRegistration(body);
    return answer(AuthenticationRegister, registration);
  }

  @Action('auth/::generate-token')
  async generateToken(): Promise<string> {
    const { token } = await this.services.security.generateToken({});
    return success(JSON.stringify(token));
  }

  @Get('secureboot')
  async secureBoot(): Promise<string> {
    const { certificates } = await this.services.security.getSecureBootCertificates({}, reading());
    return answer(InternalSecureBootCertificates, certificates);
  }

  @Action('tui/::write-message')
  async writeMessage(@OptionalBody(bodies.tuiMessage) message: DebugTUI): Promise<string> {
    await this.services.debug.writeMessage({ message });
    return done;
  }
}
