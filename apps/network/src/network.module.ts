import { HOST, type Host, openHost } from '@incusos/host';
import { provideStateOwner } from '@incusos/state-owner';
import { type DynamicModule, Module } from '@nestjs/common';
import { AddonsController } from './addons/addons.controller.ts';
import { AddonsService } from './addons/addons.service.ts';
import {
  NETWORK_LIMITS,
  NetworkConfigService,
  type NetworkLimits,
  usualLimits,
} from './apply/network-config.service.ts';
import { ProviderNews } from './apply/provider-news.ts';
import { WakeOnLan } from './apply/wake-on-lan.ts';
import { NetworkImport } from './network-import.ts';
import { NETWORK_STATE, openNetworkState } from './network-state.ts';
import { NetworkController } from './network.controller.ts';
import { NetworkService } from './network.service.ts';
import { ClockService } from './time/clock.service.ts';

@Module({})
export class NetworkModule {
  /**
   * @param open finds the machine; the one that this process runs on unless given.
   * @param limits how long things may take.
   */
  static on(open: () => Promise<Host> = openHost, limits: NetworkLimits = usualLimits): DynamicModule {
    return {
      module: NetworkModule,
      providers: [
        { provide: HOST, useFactory: open },
        { provide: NETWORK_STATE, inject: [HOST], useFactory: openNetworkState },
        { provide: NETWORK_LIMITS, useValue: limits },
        ProviderNews,
        ClockService,
        NetworkConfigService,
        WakeOnLan,
        NetworkService,
        NetworkController,
        AddonsService,
        AddonsController,
        NetworkImport,
        ...provideStateOwner({ service: 'network', store: NETWORK_STATE, hooks: NetworkImport }),
      ],
    };
  }
}
