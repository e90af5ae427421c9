import {
  AddonHostService,
  type GetAddonRequest,
  type GetAddonResponse,
  type ListAddonsResponse,
  type ResetAddonRequest,
  type SetAddonConfigRequest,
} from '@incusos/contracts/addons';
import { DomainError, GrpcController, type ServiceHandlers } from '@incusos/service';
import type { StateStore } from '@incusos/state';
import { Inject } from '@nestjs/common';
import { NETWORK_STATE, type NetworkAddons, type NetworkState } from '../network-state.ts';

/** `incusos.addons.v1.AddonHost` for what belongs to the network: netbird, ovn and tailscale. */
@GrpcController(AddonHostService)
export class AddonsController implements ServiceHandlers<typeof AddonHostService> {
  constructor(@Inject(NETWORK_STATE) private readonly store: StateStore<NetworkState>) {}

  listAddons(): ListAddonsResponse {
    return { names: Object.keys(this.store.current.addons).toSorted() };
  }

  getAddon({ name }: GetAddonRequest): GetAddonResponse {
    const { netbird, ovn, tailscale } = this.store.current.addons;
    switch (addonName(name)) {
      case 'netbird':
        return { addon: { $case: 'netbird', value: { config: netbird, state: {} } } };
      case 'ovn':
        return { addon: { $case: 'ovn', value: { config: ovn, state: {} } } };
      case 'tailscale':
        return { addon: { $case: 'tailscale', value: { config: tailscale, state: stoppedTailscale() } } };
    }
  }

  setAddonConfig({ name }: SetAddonConfigRequest): never {
    addonName(name);
    throw new DomainError('NOT_IMPLEMENTED', `configuring the service ${name} is not implemented yet`);
  }

  resetAddon({ name }: ResetAddonRequest): never {
    if (addonName(name) === 'ovn')
      throw new DomainError('PRECONDITION_FAILED', "OVN isn't currently enabled");
    throw new DomainError('INVALID_REQUEST', "reset isn't supported by this service");
  }
}

function addonName(name: string): keyof NetworkAddons {
  if (name === 'netbird' || name === 'ovn' || name === 'tailscale') return name;
  throw new DomainError('NOT_FOUND', 'not found');
}

/** What Tailscale's own status says while its daemon doesn't run. */
function stoppedTailscale(): {
  version: string;
  backend_state: string;
  self: undefined;
  peer: [];
  have_node_key: boolean;
  health: [];
} {
  return {
    version: '',
    backend_state: 'NoState',
    self: undefined,
    peer: [],
    have_node_key: false,
    health: [],
  };
}
