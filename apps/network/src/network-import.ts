import { SystemNetworkConfig } from '@incusos/contracts/network';
import type { ImportContext, StateOwnerHooks } from '@incusos/state-owner';
import { validateConfig } from './config/validate.ts';
import { refuse } from './config/refuse.ts';
import { Inject, Injectable } from '@nestjs/common';
import { AddonsService } from './addons/addons.service.ts';
import { NetworkConfigService } from './apply/network-config.service.ts';
import type { NetworkState } from './network-state.ts';

/** What is special about restoring the network: other hardware, and that it takes effect at once. */
@Injectable()
export class NetworkImport implements StateOwnerHooks<NetworkState> {
  constructor(
    @Inject(NetworkConfigService) private readonly network: NetworkConfigService,
    @Inject(AddonsService) private readonly addons: AddonsService,
  ) {}

  /** With `network-macs`, devices are known by their names again, for a machine whose cards have other addresses. */
  transform(data: NetworkState, { skip }: ImportContext<NetworkState>): NetworkState {
    this.addons.check(data.addons);
    if (data.config === null) return data;
    refuse(validateConfig(data.config, 'loose'));
    return skip.has('network-macs') ? { ...data, config: withoutMacs(data.config) } : data;
  }

  async apply(): Promise<void> {
    await this.network.adopt();
    await this.addons.adopt();
  }
}

export function withoutMacs(config: SystemNetworkConfig): SystemNetworkConfig {
  const named = <D extends { name: string; hwaddr?: string | undefined }>(device: D): D =>
    device.hwaddr === undefined || device.hwaddr === '' ? device : { ...device, hwaddr: device.name };
  return { ...config, interfaces: config.interfaces.map(named), bonds: config.bonds.map(named) };
}
