/** An emulated machine with the network service on it, reached as everyone reaches it: over its socket. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type GetNetworkResponse,
  type SystemNetworkInterfaceState,
  NetworkServiceService,
  SystemNetworkConfig,
} from '@incusos/contracts/network';
import type { Host, Programs } from '@incusos/host';
import {
  areas,
  defaultMachine,
  defaultNic,
  EmulatedMachine,
  openEmulatedHost,
  switchOff,
  switchOn,
} from '@incusos/host-emulated';
import {
  connectService,
  type RunningService,
  type ServiceClient,
  type ServiceConnection,
  startService,
} from '@incusos/service';
import { NetworkModule } from '../network.module.ts';

export const enp5s0 = '10:66:6a:00:00:01';

export class NetworkAppliance {
  private running: RunningService | undefined;
  private connected: ServiceConnection | undefined;
  private starts = 0;
  /** Stands between the service and the machine's programs. */
  around: (programs: Programs) => Programs = (programs) => programs;

  private constructor(
    readonly directory: string,
    readonly machine: EmulatedMachine,
  ) {}

  /**
   * A machine that is on, without the service.
   * @param cards names of its network cards; one called `enp5s0` unless given.
   */
  static async create(cards: readonly string[] = ['enp5s0']): Promise<NetworkAppliance> {
    const directory = await mkdtemp(join(tmpdir(), 'net-'));
    const machine = new EmulatedMachine(directory);
    const described = defaultMachine();
    described.network.nics = cards.map((name, index) => defaultNic(name, index + 1));
    machine.create(described);
    await switchOn(machine);
    return new NetworkAppliance(directory, machine);
  }

  static async started(): Promise<NetworkAppliance> {
    const appliance = await NetworkAppliance.create();
    await appliance.start();
    await appliance.settled();
    return appliance;
  }

  get client(): ServiceClient<typeof NetworkServiceService> {
    return this.connection.use(NetworkServiceService);
  }

  get connection(): ServiceConnection {
    if (this.connected === undefined) throw new Error('the service was not started');
    return this.connected;
  }

  /**
   * Starts the service in this process.
   * @param wrap makes the machine another one for it.
   */
  async start(wrap: (host: Host) => Host = (host) => host): Promise<void> {
    const socket = join(this.directory, `n${(this.starts += 1)}.sock`);
    const { files, programs } = openEmulatedHost(this.machine);
    const host = wrap({ files, programs: this.around(programs) });
    this.running = await startService(
      NetworkModule.on(() => Promise.resolve(host), { onlineMs: 4_000 }),
      'network',
      { socket },
    );
    this.connected = connectService('network', socket);
  }

  async stop(): Promise<void> {
    this.connected?.close();
    this.connected = undefined;
    await this.running?.stop();
    this.running = undefined;
  }

  /** Ends the service as at a shutdown, and boots the machine with it. */
  async reboot(): Promise<void> {
    await this.powerCycle();
    await this.start();
    await this.settled();
  }

  /** Switches the machine off and on; the service doesn't run then. */
  async powerCycle(): Promise<void> {
    await this.stop();
    await switchOff(this.machine);
    await switchOn(this.machine);
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }

  async network(): Promise<NonNullable<GetNetworkResponse['network']>> {
    const { network } = await this.client.getNetwork({});
    if (network === undefined) throw new Error('the answer has no network');
    return network;
  }

  async interfaceState(name: string): Promise<SystemNetworkInterfaceState> {
    const state = (await this.network()).state?.interfaces[name];
    if (state === undefined) throw new Error(`the state has no ${name}`);
    return state;
  }

  async set(config: Parameters<typeof SystemNetworkConfig.fromPartial>[0]): Promise<void> {
    await this.client.setConfig({ config: SystemNetworkConfig.fromPartial(config) }, { timeoutMs: 60_000 });
  }

  /** Waits until no configuration is being applied. */
  async settled(): Promise<void> {
    await eventually(async () => (await this.network()).state?.configuration_in_process === false);
  }

  /** A file of the machine, or nothing. */
  file(path: string): Promise<string | undefined> {
    return this.machine.files.readText(path).catch(() => undefined);
  }

  /** A command that changes the machine from outside, such as `nic add`. */
  async command(name: string, ...args: string[]): Promise<string> {
    const found = areas.flatMap(({ commands }) => commands).find((command) => command.name === name);
    if (found === undefined) throw new Error(`there is no command ${name}`);
    return found.run(this.machine, args, {});
  }
}

/** Waits for something that happens by itself; generous, since machines differ. */
export async function eventually(check: () => Promise<boolean>, withinMs = 30_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error('it did not happen in time');
    await sleep(50);
  }
}
