/** The network of a machine under test, by its REST API. */
import type { Rest } from '../../../appliance/rest.ts';
import { until } from '../../harness/wait.ts';

export const networkPath = '/os/1.0/system/network';

/** An interface, bond or VLAN as it is configured; what a scenario has no word for stays as it is. */
export interface DeviceConfig {
  readonly name: string;
  readonly hwaddr?: string;
  readonly [key: string]: unknown;
}

export interface NetworkConfig {
  readonly interfaces?: readonly DeviceConfig[];
  readonly bonds?: readonly DeviceConfig[];
  readonly vlans?: readonly DeviceConfig[];
  readonly wireguard?: readonly DeviceConfig[];
  readonly [key: string]: unknown;
}

export interface DeviceState {
  readonly type?: string;
  readonly state: string;
  readonly addresses?: readonly string[];
  readonly hwaddr?: string;
  readonly roles?: readonly string[];
  readonly routes?: readonly { readonly to: string; readonly via: string }[];
  readonly lldp?: readonly Readonly<Record<'chassis_id' | 'name' | 'port_id' | 'port', string | undefined>>[];
  readonly members?: Readonly<Record<string, DeviceState>>;
  readonly [key: string]: unknown;
}

export interface NetworkState {
  readonly interfaces: Readonly<Record<string, DeviceState>>;
  readonly [key: string]: unknown;
}

export interface Network {
  readonly config: NetworkConfig;
  readonly state: NetworkState;
}

/** Long enough for what takes a machine without KVM its time. */
const usualMs = 120_000;

export function networkOf(rest: Rest): Promise<Network> {
  return rest.get<Network>(networkPath);
}

/**
 * Changes the configuration: devices of the same name are replaced, others and what the machine had stay, so that the card
 * behind which the API is keeps its addresses.
 * @throws Error with the API's reason when it isn't taken.
 */
export async function configure(rest: Rest, change: NetworkConfig): Promise<void> {
  const { config } = await networkOf(rest);
  await rest.succeed('PUT', networkPath, { json: { config: merged(config, change) } });
}

/** One configuration with another's devices and settings. */
export function merged(config: NetworkConfig, change: NetworkConfig): NetworkConfig {
  const both = (name: 'interfaces' | 'bonds' | 'vlans' | 'wireguard'): readonly DeviceConfig[] => {
    const added = change[name] ?? [];
    const names = new Set(added.map((device) => device.name));
    return [...(config[name] ?? []).filter((device) => !names.has(device.name)), ...added];
  };
  return {
    ...{ ...config, ...change },
    ...{ interfaces: both('interfaces'), bonds: both('bonds') },
    ...{ vlans: both('vlans'), wireguard: both('wireguard') },
  };
}

/** Waits until a device's state is as a scenario wants it. @returns the state. */
export function seen(
  rest: Rest,
  name: string,
  what: string,
  is: (state: DeviceState) => boolean,
  limitMs = usualMs,
): Promise<DeviceState> {
  let last: DeviceState | undefined;
  return until(
    `${name} with ${what}`,
    limitMs,
    async () => {
      last = (await networkOf(rest)).state.interfaces[name];
      if (last !== undefined && is(last)) return last;
      throw new Error(`the state is ${JSON.stringify(last)}`);
    },
    { everyMs: 1_000 },
  );
}
