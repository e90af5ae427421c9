/** What the network service keeps: the configuration that was last confirmed, and its add-ons' configurations. */
import { ServiceNetbirdConfig, ServiceOVNConfig, ServiceTailscaleConfig } from '@incusos/contracts/addons';
import { SystemNetworkConfig } from '@incusos/contracts/network';
import type { Host } from '@incusos/host';
import { openState, type StateStore } from '@incusos/state';

export interface NetworkState {
  /** `null` until the first boot made one. */
  readonly config: SystemNetworkConfig | null;
  readonly addons: NetworkAddons;
  readonly card_names: CardNames;
  /** Whether the seed of the add-ons was looked for, which happens once. */
  readonly addons_seeded: boolean;
}

/** The names that cards have before a configuration renames them, by MAC in lower case. */
export type CardNames = Readonly<Record<string, string>>;

export interface NetworkAddons {
  readonly netbird: ServiceNetbirdConfig;
  readonly ovn: ServiceOVNConfig;
  readonly tailscale: ServiceTailscaleConfig;
}

/** Injects the {@link StateStore} of a {@link NetworkState}. */
export const NETWORK_STATE = Symbol('network-state');

export const stateDirectory = '/var/lib/incus-os/network';

export function openNetworkState(host: Host): Promise<StateStore<NetworkState>> {
  return openState<NetworkState>(host, {
    directory: stateDirectory,
    version: 1,
    initial: () => readState({}),
    validate: readState,
  });
}

function readState(data: unknown): NetworkState {
  if (!isObject(data)) throw new Error('it is not an object');
  const { config = null, addons = {}, card_names: names = {} } = data;
  if (config !== null && !isObject(config)) throw new Error('its config is not an object');
  if (!isObject(addons)) throw new Error('its addons are not an object');
  if (!isObject(names)) throw new Error('its card_names are not an object');
  const { netbird = {}, ovn = {}, tailscale = {} } = addons;
  return {
    config: config === null ? null : SystemNetworkConfig.fromPartial(config),
    addons: {
      netbird: ServiceNetbirdConfig.fromPartial(netbird ?? {}),
      ovn: ServiceOVNConfig.fromPartial(ovn ?? {}),
      tailscale: ServiceTailscaleConfig.fromPartial(tailscale ?? {}),
    },
    card_names: readCardNames(names),
    // A state that was written before there were such seeds is that of a machine which runs already.
    addons_seeded: typeof data['addons_seeded'] === 'boolean' ? data['addons_seeded'] : config !== null,
  };
}

export function readCardNames(names: Readonly<Record<string, unknown>>): CardNames {
  return Object.fromEntries(
    Object.entries(names).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
