/** `/1.0/services`: the add-on services, each of which one of our services owns. */
import type { AddonHostService } from '@incusos/contracts/addons';
import { Body, Controller, Get, Inject, Param, Put, Req } from '@nestjs/common';
import { DomainError, type ServiceClient } from '@incusos/service';
import type { FastifyRequest } from 'fastify';
import { Services } from '../grpc/services.ts';
import { timeLimits } from '../grpc/time-limits.ts';
import { done, success } from '../http/envelope.ts';
import { parseBody } from '../http/json-body.ts';
import { reading } from '../http/request-call.ts';
import { urlList } from '../http/request-origin.ts';
import { Action } from '../http/routes.ts';
import { addonConfig, addonReply, isAddonName } from './addon-messages.ts';

type AddonHost = ServiceClient<typeof AddonHostService>;

@Controller('/1.0/services')
export class ServicesController {
  constructor(@Inject(Services) private readonly services: Services) {}

  @Get()
  async list(@Req() request: FastifyRequest): Promise<string> {
    const lists = await Promise.all([...this.services.addonHosts.values()].map(addonsOf));
    return success(urlList(request.raw, '/1.0/services', lists.flat()));
  }

  @Get(':name')
  async show(@Param('name') name: string): Promise<string> {
    const owner = await this.ownerOf(name);
    const { addon } = await owner.getAddon({ name }, reading());
    if (addon === undefined) throw notFound();
    return addonReply(addon);
  }

  @Put(':name')
  async setConfig(@Param('name') name: string, @Body() text: unknown): Promise<string> {
    const owner = await this.ownerOf(name);
    if (!isAddonName(name)) throw notFound();
    const config = addonConfig(name, parseBody(text, false));
    await owner.setAddonConfig({ name, config }, { timeoutMs: timeLimits.units });
    return done;
  }

  @Action(':name/::reset')
  async reset(@Param('name') name: string): Promise<string> {
    const owner = await this.ownerOf(name);
    await owner.resetAddon({ name }, { timeoutMs: timeLimits.units });
    return done;
  }

  /**
   * Who owns an add-on service. One that doesn't answer only matters when none of the others does.
   * @throws DomainError NOT_FOUND, or the failure of the service that may own it.
   */
  private async ownerOf(name: string): Promise<AddonHost> {
    if (!isAddonName(name)) throw notFound();
    const hosts = [...this.services.addonHosts.values()];
    const answers = await Promise.allSettled(hosts.map(addonsOf));
    let failure: Error | undefined;
    for (const [index, answer] of answers.entries()) {
      if (answer.status === 'rejected')
        failure ??= answer.reason instanceof Error ? answer.reason : notFound();
      else if (answer.value.includes(name)) {
        const owner = hosts[index];
        if (owner !== undefined) return owner;
      }
    }
    throw failure ?? notFound();
  }
}

/** The names of the add-on services that `host` owns; none where it doesn't know of such services. */
async function addonsOf(host: AddonHost): Promise<string[]> {
  try {
    return (await host.listAddons({}, reading())).names;
  } catch (error) {
    if (error instanceof DomainError && error.reason === 'NOT_IMPLEMENTED') return [];
    throw error;
  }
}

function notFound(): DomainError {
  return new DomainError('NOT_FOUND', 'not found');
}
