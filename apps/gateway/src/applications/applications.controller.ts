/** `/1.0/applications`: what runs on the appliance. */
import {
  type ApplicationAction,
  ApplicationConfig,
  ApplicationIncusConfig,
  ApplicationOpenFGAConfig,
  type BackupRequest,
  type GetApplicationResponse,
  type InstallApplicationRequest,
  type RestoreRequest,
  type SetConfigRequest,
  type SwitchVersionRequest,
} from '@incusos/contracts/applications';
import { bodies } from '@incusos/contracts/dto';
import { Application, ApplicationIncus, ApplicationOpenFGA } from '@incusos/contracts/rest/applications';
import {
  BadRequestException,
  Body,
  Controller,
  Get,
  HttpCode,
  Inject,
  Param,
  Post,
  Put,
  Req,
  Res,
} from '@nestjs/common';
import { DomainError } from '@incusos/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Services } from '../grpc/services.ts';
import { timeLimits } from '../grpc/time-limits.ts';
import { answer } from '../http/answer.ts';
import { done, success } from '../http/envelope.ts';
import { checkBody, OptionalBody, parseBody } from '../http/json-body.ts';
import { uploadChunks } from '../http/request-body.ts';
import { reading } from '../http/request-call.ts';
import { urlList } from '../http/request-origin.ts';
import { Action, Upload } from '../http/routes.ts';
import { sendBytes } from '../http/stream-reply.ts';

@Controller('/1.0/applications')
export class ApplicationsController {
  constructor(@Inject(Services) private readonly services: Services) {}

  @Get()
  async list(@Req() request: FastifyRequest): Promise<string> {
    const { names } = await this.services.applications.listApplications({}, reading());
    return success(urlList(request.raw, '/1.0/applications', names));
  }

  @Post()
  @HttpCode(200)
  async install(@OptionalBody(bodies.applicationInstall) body: InstallApplicationRequest): Promise<string> {
    await this.services.applications.installApplication(body, { timeoutMs: timeLimits.download });
    return done;
  }

  @Get(':name')
  async show(@Param('name') name: string): Promise<string> {
    return applicationReply(await this.application(name));
  }

  @Put(':name')
  async setConfig(@Param('name') name: string, @Body() text: unknown): Promise<string> {
    const kind = (await this.application(name)).$case;
    const config = applicationConfig(kind, parseBody(text, false));
    await this.services.applications.setConfig({ name, config }, { timeoutMs: timeLimits.units });
    return done;
  }

  @Action(':name/::action')
  async action(
    @Param('name') name: string,
    @OptionalBody(bodies.applicationAction) action: ApplicationAction,
  ): Promise<string> {
    await this.services.applications.runAction({ name, action }, { timeoutMs: timeLimits.units });
    return done;
  }

  @Action(':name/::backup')
  async backup(
    @Param('name') name: string,
    @OptionalBody(bodies.applicationBackup) { complete }: BackupRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const chunks = this.services.applications.backup({ name, complete }, { timeoutMs: timeLimits.archive });
    await sendBytes(reply, 'application/gzip', chunks);
  }

  @Action(':name/::check-update')
  async checkUpdate(@Param('name') name: string): Promise<string> {
    await this.services.applications.checkUpdate({ name });
    return done;
  }

  @Action(':name/::debug')
  async debug(@Param('name') name: string, @Body() text: unknown, @Res() reply: FastifyReply): Promise<void> {
    const request = parseBody(text, false);
    if (!isObject(request)) throw new BadRequestException('request body: must be an object');
    const chunks = this.services.applications.debug({ name, request }, { timeoutMs: timeLimits.archive });
    await sendBytes(reply, 'application/octet-stream', chunks);
  }

  @Action(':name/::factory-reset')
  async factoryReset(@Param('name') name: string): Promise<string> {
    await this.services.applications.factoryReset({ name }, { timeoutMs: timeLimits.units });
    return done;
  }

  @Action(':name/::remove')
  async remove(@Param('name') name: string): Promise<string> {
    await this.services.applications.remove({ name }, { timeoutMs: timeLimits.units });
    return done;
  }

  @Action(':name/::restart')
  async restart(@Param('name') name: string): Promise<string> {
    await this.services.applications.restart({ name }, { timeoutMs: timeLimits.units });
    return done;
  }

  @Upload(':name/::restore')
  async restore(@Param('name') name: string, @Body() upload: unknown): Promise<string> {
    await this.services.applications.restore(restoreMessages(name, upload), {
      timeoutMs: timeLimits.archive,
    });
    return done;
  }

  @Action(':name/::switch-version')
  async switchVersion(
    @Param('name') name: string,
    @OptionalBody(bodies.applicationSwitchVersion) { version }: SwitchVersionRequest,
  ): Promise<string> {
    await this.services.applications.switchVersion({ name, version }, { timeoutMs: timeLimits.units });
    return done;
  }

  private async application(name: string): Promise<InstalledApplication> {
    const { application } = await this.services.applications.getApplication({ name }, reading());
    if (application === undefined) throw new DomainError('NOT_FOUND', 'not found');
    return application;
  }
}

type InstalledApplication = NonNullable<GetApplicationResponse['application']>;

function applicationReply(application: InstalledApplication): string {
  switch (application.$case) {
    case 'plain':
      return answer(Application, application.value);
    case 'incus':
      return answer(ApplicationIncus, application.value);
    case 'openfga':
      return answer(ApplicationOpenFGA, application.value);
  }
}

/** The configuration in the structure of the application's own kind. */
function applicationConfig(kind: InstalledApplication['$case'], body: unknown): SetConfigRequest['config'] {
  switch (kind) {
    case 'plain':
      return {
        $case: kind,
        value: checkBody(bodies.applicationConfigs[kind], body).config ?? ApplicationConfig.create(),
      };
    case 'incus':
      return {
        $case: kind,
        value: checkBody(bodies.applicationConfigs[kind], body).config ?? ApplicationIncusConfig.create(),
      };
    case 'openfga':
      return {
        $case: kind,
        value: checkBody(bodies.applicationConfigs[kind], body).config ?? ApplicationOpenFGAConfig.create(),
      };
  }
}

async function* restoreMessages(name: string, upload: unknown): AsyncGenerator<RestoreRequest> {
  yield { name, chunk: Buffer.alloc(0) };
  for await (const chunk of uploadChunks(upload)) yield { name: '', chunk };
}

function isObject(value: unknown): value is { [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
