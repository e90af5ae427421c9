/** `/1.0/system`: the machine's identity, power, kernel, logging and hardware. */
import { bodies } from '@incusos/contracts/dto';
import { Resources, SystemKernel, SystemLogging } from '@incusos/contracts/rest/system';
import type { SetKernelConfigRequest, SetLoggingConfigRequest } from '@incusos/contracts/system';
import { Controller, Get, Inject, Put, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Services } from '../grpc/services.ts';
import { timeLimits } from '../grpc/time-limits.ts';
import { answer } from '../http/answer.ts';
import { done, success } from '../http/envelope.ts';
import { RequiredBody } from '../http/json-body.ts';
import { reading } from '../http/request-call.ts';
import { urlList } from '../http/request-origin.ts';
import { Action } from '../http/routes.ts';

const resources = [
  'kernel',
  'logging',
  'network',
  'provider',
  'resources',
  'security',
  'storage',
  'update',
] as const;

@Controller('/1.0/system')
export class SystemController {
  constructor(@Inject(Services) private readonly services: Services) {}

  @Get()
  list(@Req() request: FastifyRequest): string {
    return success(urlList(request.raw, '/1.0/system', resources));
  }

  @Action('::poweroff')
  async powerOff(): Promise<string> {
    await this.services.system.powerOff({});
    return done;
  }

  @Action('::reboot')
  async reboot(): Promise<string> {
    await this.services.system.reboot({});
    return done;
  }

  @Action('::suspend')
  async suspend(): Promise<string> {
    await this.services.system.suspend({});
    return done;
  }

  @Get('resources')
  async resources(): Promise<string> {
    const { resources } = await this.services.system.getResources({}, reading());
    return answer(Resources, resources);
  }

  @Get('kernel')
  async kernel(): Promise<string> {
    const { kernel } = await this.services.system.getKernel({}, reading());
    return answer(SystemKernel, kernel);
  }

  @Put('kernel')
  async setKernel(@RequiredBody(bodies.kernelConfig) body: SetKernelConfigRequest): Promise<string> {
    await this.services.system.setKernelConfig(body, { timeoutMs: timeLimits.units });
    return done;
  }

  @Get('logging')
  async logging(): Promise<string> {
    const { logging } = await this.services.system.getLogging({}, reading());
    return answer(SystemLogging, logging);
  }

  @Put('logging')
  async setLogging(@RequiredBody(bodies.loggingConfig) body: SetLoggingConfigRequest): Promise<string> {
    await this.services.system.setLoggingConfig(body, { timeoutMs: timeLimits.units });
    return done;
  }
}
