/** The add-on that the system service owns: USB devices of other machines. */
import {
  AddonHostService,
  type GetAddonRequest,
  type GetAddonResponse,
  type ListAddonsResponse,
  type ResetAddonRequest,
  type ResetAddonResponse,
  ServiceUSBIP,
  type SetAddonConfigRequest,
  type SetAddonConfigResponse,
} from '@incusos/contracts/addons';
import { DomainError, GrpcController, type ServiceHandlers } from '@incusos/service';
import type { StateStore } from '@incusos/state';
import { Inject } from '@nestjs/common';
import { SYSTEM_STATE, type SystemState } from '../state/system-state.ts';

const usbip = 'usbip';

@GrpcController(AddonHostService)
export class AddonsController implements ServiceHandlers<typeof AddonHostService> {
  constructor(@Inject(SYSTEM_STATE) private readonly state: StateStore<SystemState>) {}

  listAddons(): ListAddonsResponse {
    return { names: [usbip] };
  }

  getAddon({ name }: GetAddonRequest): GetAddonResponse {
    known(name);
    const value = ServiceUSBIP.create({ config: this.state.current.usbip, state: {} });
    return { addon: { $case: usbip, value } };
  }

  setAddonConfig({ name }: SetAddonConfigRequest): SetAddonConfigResponse {
    known(name);
    throw new DomainError('NOT_IMPLEMENTED', `configuring the service ${name} is not implemented yet`);
  }

  resetAddon({ name }: ResetAddonRequest): ResetAddonResponse {
    known(name);
    throw new DomainError('INVALID_REQUEST', "reset isn't supported by this service");
  }
}

function known(name: string): void {
  if (name !== usbip) throw new DomainError('NOT_FOUND', 'not found');
}
