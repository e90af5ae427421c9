/** The service is killed before each single thing that a change does to the machine, and started again. */
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { SystemNetworkConfig } from '@incusos/contracts/network';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { countedHost } from './testing/counted-host.ts';
import { enp5s0, eventually, NetworkAppliance } from './testing/network-appliance.ts';
import { buildPrograms, NetworkProcess } from './testing/network-process.ts';

const old = SystemNetworkConfig.fromPartial({
  interfaces: [
    {
      name: 'lan',
      hwaddr: enp5s0,
      addresses: ['192.0.2.10/24'],
      routes: [{ to: '0.0.0.0/0', via: '192.0.2.1' }],
    },
  ],
  dns: { hostname: 'before', domain: '', nameservers: ['192.0.2.1'] },
});
/** Differs in everything that a step takes care of. */
const wanted = SystemNetworkConfig.fromPartial({
  interfaces: [
    {
      name: 'mgmt',
      hwaddr: enp5s0,
      addresses: ['192.0.2.11/24'],
      routes: [{ to: '0.0.0.0/0', via: '192.0.2.1' }],
    },
  ],
  vlans: [{ name: 'ten', parent: 'mgmt', id: 10, addresses: ['198.51.100.1/24'], required_for_online: 'no' }],
  dns: { hostname: 'after', domain: '', nameservers: ['192.0.2.1'] },
  time: { timezone: 'Europe/Zurich', ntp_servers: ['192.0.2.1'] },
});

/** What a machine looks like: everything that a change may change. */
interface Look {
  readonly files: readonly (readonly [string, string | undefined])[];
  readonly links: readonly string[];
  readonly hostName: string;
  readonly timeZone: string;
}

const filesBeside = ['/etc/hosts', '/run/systemd/timesyncd.conf'];
const pendingFile = '/var/lib/incus-os/network/pending.json';
const isCommit = (operation: string): boolean => operation.endsWith('/network/state.json');
const isRecord = (operation: string): boolean => operation === `write ${pendingFile}`;

/**
 * The numbers of operations to die before, from `first` on. Between two files of networkd's directory
 * a machine is as it is between two others: the first and the last of a row stand for it.
 */
function places(operations: readonly string[], first = 1): number[] {
  const kind = (number: number): string | undefined =>
    /^\w+ \/run\/systemd\/network\//u.exec(operations[number - 1] ?? '')?.[0];
  const numbers = Array.from({ length: operations.length + 1 - first }, (_, index) => first + index);
  return numbers.filter((number) => {
    const own = kind(number);
    return own === undefined || kind(number - 1) !== own || kind(number + 1) !== own;
  });
}

describe('a network service that is killed before any of the things that it does', () => {
  let programs: string;
  let appliance: NetworkAppliance;
  let service: NetworkProcess;
  let looks: { readonly old: Look; readonly wanted: Look };
  beforeAll(async () => {
    programs = await buildPrograms();
  });
  afterAll(() => rm(programs, { recursive: true, force: true }));
  beforeEach(async () => {
    appliance = await NetworkAppliance.started();
    service = new NetworkProcess(programs, appliance.directory);
    await appliance.set(wanted);
    const after = await look();
    await appliance.set(old);
    looks = { old: await look(), wanted: after };
    await appliance.stop();
  });
  afterEach(async () => {
    await service.kill();
    await appliance.remove();
  });

  async function look(): Promise<Look> {
    const { files } = appliance.machine;
    const directory = '/run/systemd/network';
    const names = (await files.list(directory)).map((name) => `${directory}/${name}`);
    const { links, host_name: hostName, time_zone: timeZone } = appliance.machine.read().network;
    const paths = [...names, ...filesBeside];
    return {
      files: await Promise.all(paths.map(async (path) => [path, await appliance.file(path)] as const)),
      links: links.map(({ name, kind }) => `${name} ${kind}`).toSorted(),
      hostName,
      timeZone,
    };
  }

  /** What the service does to the machine from the first operation of a change on, as long as `work` takes. */
  async function operationsOf(work: () => Promise<void>): Promise<string[]> {
    const operations: string[] = [];
    await appliance.start((host) =>
      countedHost(host, (operation) => {
        if (operations.length > 0 || isRecord(operation)) operations.push(operation);
        return Promise.resolve();
      }),
    );
    await appliance.settled();
    await work();
    await appliance.settled();
    await appliance.stop();
    return operations;
  }

  async function backToOld(): Promise<void> {
    await appliance.start();
    await appliance.settled();
    await appliance.set(old);
    await appliance.stop();
  }

  /** Kills it before operation `number` while it does `work`, and starts it again. */
  async function killAndStart(number: number, work: () => Promise<unknown>): Promise<void> {
    await service.start(number);
    await eventually(async () => {
      const { network } = await service.client.getNetwork({});
      return network?.state?.configuration_in_process === false;
    });
    await work().catch(() => undefined);
    // On a machine that is so busy that it went another way it may never come that far.
    await Promise.race([service.ended(), sleep(20_000, undefined, { ref: false })]);
    await service.kill();
    await appliance.start();
    await appliance.settled();
  }

  async function expectOld(where: string): Promise<void> {
    await eventually(async () => (await appliance.file(pendingFile)) === undefined);
    await appliance.settled();
    const { config, state } = await appliance.network();
    expect(config?.interfaces, where).toEqual(old.interfaces);
    expect(await look(), where).toEqual(looks.old);
    expect(state?.problem, where).toBeUndefined();
  }

  async function expectWanted(where: string): Promise<void> {
    const { config, state } = await appliance.network();
    expect(config?.interfaces, where).toEqual(wanted.interfaces);
    expect(await look(), where).toEqual(looks.wanted);
    expect(state?.problem, where).toBeUndefined();
  }

  it('has the old configuration until the new one is recorded, and the new one from then on', async () => {
    const operations = await operationsOf(() => appliance.set(wanted));
    expect(operations.length).toBeGreaterThan(15);
    await backToOld();
    for (const number of places(operations)) {
      const where = `before ${number}: ${operations[number - 1] ?? ''}`;
      await killAndStart(number, () => service.client.setConfig({ config: wanted }));
      const { state } = await appliance.network();
      if (operations.slice(0, number - 1).some(isCommit)) {
        await expectWanted(where);
        expect(state?.last_change?.outcome, where).toBe('applied');
        await appliance.set(old);
      } else {
        await expectOld(where);
        if (number > 1) {
          expect(state?.last_change, where).toMatchObject({
            outcome: 'rolled-back',
            reason: 'the network service ended while it was being applied',
          });
        }
      }
      await appliance.stop();
    }
  }, 600_000);

  it('has the old configuration wherever the way back was interrupted', async () => {
    const request = SystemNetworkConfig.fromPartial({ ...wanted, confirmation_timeout: '4s' });
    const operations = await operationsOf(async () => {
      // Long enough for a busy machine, or it would go another way.
      await appliance.set({ ...wanted, confirmation_timeout: '15s' });
      await eventually(async () => {
        const { last_change: change } = (await appliance.network()).state ?? {};
        return change?.outcome === 'rolled-back';
      });
    });
    const wayBack = operations.findLastIndex(isRecord) + 1;
    expect(operations.length - wayBack).toBeGreaterThan(15);
    for (const number of places(operations, wayBack + 1)) {
      const where = `before ${number}: ${operations[number - 1] ?? ''}`;
      await killAndStart(number, () => service.client.setConfig({ config: request }));
      await expectOld(where);
      await appliance.stop();
    }
  }, 600_000);

  it('can be told to keep the new configuration until that is recorded, and has it from then on', async () => {
    const request = SystemNetworkConfig.fromPartial({ ...wanted, confirmation_timeout: '10m' });
    const operations = await operationsOf(async () => {
      await appliance.set(request);
      await appliance.client.confirmConfig({});
    });
    await backToOld();
    const awaiting = operations.findLastIndex(isRecord) + 1;
    expect(awaiting).toBeGreaterThan(10);
    for (const number of places(operations, awaiting + 1)) {
      const where = `before ${number}: ${operations[number - 1] ?? ''}`;
      await killAndStart(number, async () => {
        await service.client.setConfig({ config: request });
        await service.client.confirmConfig({});
      });
      if (!operations.slice(0, number - 1).some(isCommit)) await appliance.client.confirmConfig({});
      await expectWanted(where);
      expect(await appliance.file(pendingFile), where).toBeUndefined();
      await appliance.set(old);
      await appliance.stop();
    }
  }, 600_000);
});
