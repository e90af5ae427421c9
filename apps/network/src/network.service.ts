/** The network as the API shows it: the configuration in force and the state of the machine. */
import type { SystemNetwork, SystemNetworkChange, SystemNetworkConfig } from '@incusos/contracts/network';
import { HOST, type Host } from '@incusos/host';
import { LOGGER, type Logger } from '@incusos/service';
import type { StateStore } from '@incusos/state';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { NetworkConfigService } from './apply/network-config.service.ts';
import { flushCaches } from './dns/resolvectl.ts';
import { NETWORK_STATE, type NetworkState } from './network-state.ts';
import { buildState } from './state/build-state.ts';
import { NetworkSnapshot, type Snapshot } from './state/snapshot.ts';

interface Built {
  readonly from: Snapshot;
  readonly config: SystemNetworkConfig | undefined;
  readonly inProcess: boolean;
  readonly lastChange: SystemNetworkChange | undefined;
  readonly problem: string | undefined;
  readonly network: SystemNetwork;
}

@Injectable()
export class NetworkService implements OnApplicationShutdown {
  private readonly snapshot: NetworkSnapshot;
  private built: Built | undefined;

  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(NetworkConfigService) private readonly config: NetworkConfigService,
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

  async get(): Promise<SystemNetwork> {
    const from = await this.snapshot.read(listens(this.config.current));
    const { current: config, inProcess, lastChange, problem } = this.config;
    const { built } = this;
    const same =
      built?.from.readings === from.readings &&
      built.from.counters === from.counters &&
      built.config === config &&
      built.inProcess === inProcess &&
      built.lastChange === lastChange &&
      built.problem === problem;
    if (same) return built.network;
    const network: SystemNetwork = {
      config: config === undefined ? undefined : withTimeZone(config),
      state: {
        interfaces: buildState({ config, ...from, cardNames: this.store.current.card_names }),
        configuration_in_process: inProcess,
        last_change: lastChange,
        problem,
      },
    };
    this.built = { from, config, inProcess, lastChange, problem, network };
    return network;
  }

  flushDns(): Promise<void> {
    return flushCaches(this.host);
  }
}

function listens(config: SystemNetworkConfig | undefined): boolean {
  return [...(config?.interfaces ?? []), ...(config?.bonds ?? [])].some(({ lldp }) => lldp === true);
}

/** Clients are told the time zone in force, also where none was set. */
function withTimeZone(config: SystemNetworkConfig): SystemNetworkConfig {
  const { ntp_servers = [], timezone = '' } = config.time ?? {};
  return { ...config, time: { ntp_servers, timezone: timezone === '' ? 'UTC' : timezone } };
}
