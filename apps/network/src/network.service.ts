/** The network as the API shows it: the configuration in force and the state of the machine. */
import type { SystemNetwork, SystemNetworkConfig } from '@incusos/contracts/network';
import { HOST, type Host } from '@incusos/host';
import { LOGGER, type Logger } from '@incusos/service';
import type { StateStore } from '@incusos/state';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { NetworkConfigService } from './apply/network-config.service.ts';
import { flushCaches } from './dns/resolvectl.ts';
import { NETWORK_STATE, type NetworkState } from './network-state.ts';
import { bondName } from './render/device-names.ts';
import { buildState } from './state/build-state.ts';
import type { MovingParts } from './state/moving.ts';
import { NetworkSnapshot } from './state/snapshot.ts';
import { ClockService } from './time/clock.service.ts';

interface Built {
  /** What it was made from; made anew when one of them is another. */
  readonly facts: readonly unknown[];
  readonly network: SystemNetwork;
}

@Injectable()
export class NetworkService implements OnApplicationShutdown {
  private readonly snapshot: NetworkSnapshot;
  private built: Built | undefined;

  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(NetworkConfigService) private readonly config: NetworkConfigService,
    @Inject(ClockService) private readonly clock: ClockService,
    @Inject(NETWORK_STATE) private readonly store: StateStore<NetworkState>,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.snapshot = new NetworkSnapshot(host, logger);
    config.onChanged = () => this.snapshot.changed();
    this.snapshot.start();
  }

  onApplicationShutdown(): void {
    this.snapshot.stop();
  }

  /** The same object for as long as nothing of it changed. */
  async get(): Promise<SystemNetwork> {
    const { readings, moving } = await this.snapshot.read(partsOf(this.config.current));
    const { current: config, inProcess, lastChange, problem } = this.config;
    const time = this.clock.state;
    const cardNames = this.store.current.card_names;
    const facts = [readings, moving, config, inProcess, lastChange, problem, time, cardNames];
    if (this.built?.facts.every((fact, index) => fact === facts[index]) === true) return this.built.network;
    const network: SystemNetwork = {
      config: config === undefined ? undefined : withTimeZone(config),
      state: {
        interfaces: buildState({ config, readings, moving, cardNames }),
        configuration_in_process: inProcess,
        last_change: lastChange,
        problem,
        time,
      },
    };
    this.built = { facts, network };
    return network;
  }

  flushDns(): Promise<void> {
    return flushCaches(this.host);
  }
}

function partsOf(config: SystemNetworkConfig | undefined): MovingParts {
  const { interfaces = [], bonds = [], wireguard = [] } = config ?? {};
  return {
    neighbours: [...interfaces, ...bonds].some(({ lldp }) => lldp === true),
    lacpBonds: bonds.filter(({ mode }) => mode === '802.3ad').map(({ name }) => bondName(name)),
    tunnels: wireguard.length > 0,
  };
}

/** Clients are told the time zone in force, also where none was set. */
function withTimeZone(config: SystemNetworkConfig): SystemNetworkConfig {
  const { ntp_servers = [], timezone = '' } = config.time ?? {};
  return { ...config, time: { ntp_servers, timezone: timezone === '' ? 'UTC' : timezone } };
}
