import {
  AddonHostService,
  type GetAddonRequest,
  type GetAddonResponse,
  type ListAddonsResponse,
  type ResetAddonRequest,
  type ResetAddonResponse,
  type SetAddonConfigRequest,
  type SetAddonConfigResponse,
} from '@incusos/contracts/addons';
import { DomainError, GrpcController, type ServiceHandlers } from '@incusos/service';
import { Inject } from '@nestjs/common';
import type { AddonName } from './addon.ts';
import { AddonsService } from './addons.service.ts';

const names: readonly AddonName[] = ['netbird', 'ovn', 'tailscale'];

/** `incusos.addons.v1.AddonHost` for what belongs to the network: netbird, ovn and tailscale. */
@GrpcController(AddonHostService)
export class AddonsController implements ServiceHandlers<typeof AddonHostService> {
  constructor(@Inject(AddonsService) private readonly addons: AddonsService) {}

  listAddons(): ListAddonsResponse {
    return { names: [...names] };
  }

  async getAddon({ name }: GetAddonRequest): Promise<GetAddonResponse> {
    const known = addonName(name);
    switch (known) {
      case 'netbird':
        return { addon: { $case: known, value: { config: this.addons.config(known), state: {} } } };
      case 'ovn':
        return { addon: { $case: known, value: { config: this.addons.config(known), state: {} } } };
      case 'tailscale': {
        const state = await this.addons.tailscaleState();
        return { addon: { $case: known, value: { config: this.addons.config(known), state } } };
      }
    }
  }

  /** A caller that is gone doesn't stop the change: its connection may go through what is changed. */
  async setAddonConfig({ name, config }: SetAddonConfigRequest): Promise<SetAddonConfigResponse> {
    const known = addonName(name);
    if (config?.$case !== known)
      throw new DomainError('INVALID_REQUEST', `the request has no configuration of the service ${known}`);
    switch (config.$case) {
      case 'netbird':
        await this.addons.set('netbird', config.value);
        break;
      case 'ovn':
        await this.addons.set('ovn', config.value);
        break;
      case 'tailscale':
        await this.addons.set('tailscale', config.value);
        break;
    }
    return {};
  }

  async resetAddon({ name }: ResetAddonRequest): Promise<ResetAddonResponse> {
    await this.addons.reset(addonName(name));
    return {};
  }
}

function addonName(name: string): AddonName {
  const known = names.find((each) => each === name);
  if (known === undefined) throw new DomainError('NOT_FOUND', 'not found');
  return known;
}
