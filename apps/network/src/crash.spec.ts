import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type SystemNetwork, SystemNetworkConfig } from '@incusos/contracts/network';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { enp5s0, eventually, NetworkAppliance } from './testing/network-appliance.ts';
import { buildPrograms, NetworkProcess } from './testing/network-process.ts';

const pendingFile = '/var/lib/incus-os/network/pending.json';

function staticConfig(change: object = {}): SystemNetworkConfig {
  return SystemNetworkConfig.fromPartial({
    interfaces: [
      {
        name: 'enp5s0',
        hwaddr: enp5s0,
        addresses: ['192.0.2.10/24'],
        routes: [{ to: '0.0.0.0/0', via: '192.0.2.1' }],
      },
    ],
    dns: { hostname: '', domain: '', nameservers: ['192.0.2.1'] },
    ...change,
  });
}

describe('a network service that is killed', () => {
  let programs: string;
  let appliance: NetworkAppliance;
  let service: NetworkProcess;
  beforeAll(async () => {
    programs = await buildPrograms();
  });
  afterAll(() => rm(programs, { recursive: true, force: true }));
  beforeEach(async () => {
    appliance = await NetworkAppliance.create();
    service = new NetworkProcess(programs, appliance.directory);
    await service.start();
    await eventually(async () => (await network()).state?.configuration_in_process === false);
  });
  afterEach(async () => {
    await service.kill();
    await appliance.remove();
  });

  const network = async (): Promise<SystemNetwork> => {
    const { network: answer } = await service.client.getNetwork({});
    if (answer === undefined) throw new Error('the answer has no network');
    return answer;
  };
  const addresses = async (): Promise<string[]> =>
    (await network()).state?.interfaces['enp5s0']?.addresses ?? [];
  const configured = async (): Promise<string[]> => (await network()).config?.interfaces[0]?.addresses ?? [];
  const backToDefault = async (): Promise<boolean> =>
    (await configured()).includes('dhcp4') &&
    !(await addresses()).includes('192.0.2.10') &&
    (await appliance.file(pendingFile)) === undefined;

  it('while a configuration awaits its confirmation brings the previous one back at the deadline', async () => {
    await service.client.setConfig({ config: staticConfig({ confirmation_timeout: '12s' }) });
    expect(await addresses()).toEqual(['192.0.2.10']);
    await service.kill();
    await service.start();
    expect(await addresses()).toEqual(['192.0.2.10']);
    await eventually(backToDefault);
  });

  it('and comes back after the deadline brings the previous configuration back at once', async () => {
    await service.client.setConfig({ config: staticConfig({ confirmation_timeout: '5s' }) });
    await service.kill();
    await sleep(5_000);
    await service.start();
    await eventually(backToDefault);
  });

  it.each([0, 15, 40, 80, 140, 220])(
    '%i ms into a change leaves the old or the new configuration, whole',
    async (delay) => {
      const change = service.client.setConfig({ config: staticConfig() }).then(
        () => 'done',
        () => 'lost',
      );
      await sleep(delay);
      await service.kill();
      await change;
      await service.start();
      await eventually(async () => (await network()).state?.configuration_in_process === false);
      expect(await appliance.file(pendingFile)).toBeUndefined();
      const kept = (await configured()).includes('192.0.2.10/24');
      await eventually(
        async () => (await addresses()).length > 0 && (await addresses()).includes('192.0.2.10') === kept,
      );
      expect((await appliance.file('/run/systemd/network/20-_venp5s0.network'))?.includes('192.0.2.10')).toBe(
        kept,
      );
    },
  );
});
