/** The network as the API has it, in the parts that the scenarios change and look at. */
import assert from 'node:assert/strict';
import type { Rest } from '../../../appliance/rest.ts';
import type { TestMachine } from '../../harness/test-machine.ts';
import { until } from '../../harness/wait.ts';

export const networkPath = '/os/1.0/system/network';

export interface Device {
  readonly name: string;
  readonly addresses?: readonly string[];
  readonly routes?: readonly { readonly to: string; readonly via: string }[];
  readonly roles?: readonly string[];
  readonly required_for_online?: string;
  readonly mtu?: number;
  readonly vlan_tags?: readonly number[];
  readonly lldp?: boolean;
}

export interface Interface extends Device {
  readonly hwaddr: string;
  readonly ethernet?: Readonly<Record<string, unknown>>;
}

export interface Bond extends Device {
  readonly mode: string;
  readonly members: readonly string[];
}

export interface Vlan extends Device {
  readonly parent: string;
  readonly id: number;
}

export interface Config {
  readonly confirmation_timeout?: string;
  readonly dns?: {
    readonly hostname: string;
    readonly domain: string;
    readonly nameservers?: readonly string[];
  };
  readonly interfaces?: readonly Interface[];
  readonly bonds?: readonly Bond[];
  readonly vlans?: readonly Vlan[];
}

export interface DeviceState {
  readonly type: string;
  readonly state: string;
  readonly addresses?: readonly string[];
  readonly hwaddr?: string;
  readonly mtu?: number;
  readonly roles?: readonly string[];
  readonly members?: Readonly<Record<string, DeviceState>>;
  readonly lacp?: { readonly local_mac: string; readonly remote_mac: string };
}

export interface LastChange {
  readonly outcome: 'applied' | 'unconfirmed' | 'rolled-back';
  /** Why it was taken back. */
  readonly reason?: string;
}

export interface Network {
  readonly config: Config;
  readonly state: {
    readonly interfaces: Readonly<Record<string, DeviceState>>;
    readonly configuration_in_process: boolean;
    readonly last_change?: LastChange;
  };
}

/** The first card as QEMU's own network has it, by a fixed address and without name servers. */
export function fixedFirstCard(hwaddr: string): Interface {
  return { name: 'enp5s0', hwaddr, addresses: ['10.0.2.15/24'], required_for_online: 'no' };
}

export function readNetwork(rest: Rest): Promise<Network> {
  return rest.get<Network>(networkPath);
}

/** Applies a configuration. @throws Error with the API's when it is refused, or was taken back. */
export async function setNetwork(rest: Rest, config: Config): Promise<void> {
  await rest.succeed('PUT', networkPath, { json: { config } });
}

/** Applies a configuration that has to fail. @returns the error. */
export async function failToSet(rest: Rest, config: Config): Promise<string> {
  const { http, error } = await rest.envelope('PUT', networkPath, { json: { config } });
  assert.notEqual(http, 200, 'the configuration was taken');
  return error;
}

/** The configuration without what doesn't count: the order of keys, and what is empty. */
export function assertSameConfig(actual: Config, expected: Config): void {
  assert.deepEqual(bare(actual), bare(expected));
}

function bare(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, one: unknown) =>
      one === '' || one === null || (Array.isArray(one) && one.length === 0) ? undefined : one,
    ),
  );
}

const settleMs = 3 * 60_000;

/** Waits until a device is as wanted. @returns its state. */
export function deviceIs(
  rest: Rest,
  name: string,
  what: string,
  is: (device: DeviceState) => boolean,
): Promise<DeviceState> {
  return until(`${name} ${what}`, settleMs, async () => {
    const device = (await readNetwork(rest)).state.interfaces[name];
    return device !== undefined && is(device) ? device : undefined;
  });
}

/** Sets the guest's clock, which stands where the machine was kept. */
export async function setClock(machine: TestMachine): Promise<void> {
  await machine.inGuest(`date --set=@${Math.floor(Date.now() / 1_000)}`);
}

/** A moment of the guest's journal, for {@link journalSince}. */
export async function journalCursor(machine: TestMachine): Promise<string> {
  const shown = await machine.inGuest('journalctl -n 1 -o cat --show-cursor | tail -n 1');
  return shown.replace(/^-- cursor: /u, '').trim();
}

/** What was logged after a moment. @param options of journalctl(1). */
export async function journalSince(machine: TestMachine, cursor: string, options: string): Promise<string> {
  return machine.inGuest(`journalctl --no-pager -q -o cat --after-cursor='${cursor}' ${options}`);
}
