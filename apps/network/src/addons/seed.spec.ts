import { buffer } from 'node:stream/consumers';
import { AddonHostService } from '@incusos/contracts/addons';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NetworkAppliance } from '../testing/network-appliance.ts';

let appliance: NetworkAppliance;

beforeEach(async () => {
  appliance = await NetworkAppliance.create();
});

afterEach(() => appliance.remove());

async function seed(content: string): Promise<void> {
  const tar = pack();
  tar.entry({ name: 'services.yaml' }, content);
  tar.finalize();
  const { files } = appliance.machine;
  await files.writeAtomic(await files.realPath('/dev/disk/by-partlabel/seed-data'), await buffer(tar));
}

const addons = () => appliance.connection.use(AddonHostService);
/** The configuration, once the start is done: a service that can't be reset says so after that. */
async function config(name: string): Promise<unknown> {
  await expect(addons().resetAddon({ name: 'netbird' })).rejects.toThrow("isn't supported");
  return (await addons().getAddon({ name })).addon?.value.config;
}
const units = () => appliance.machine.read().system.units;

describe('a first boot with a services seed', () => {
  it('follows it, each service for itself, and never again', async () => {
    await seed(
      `version: "1"
ovn: {enabled: true, database: "tcp:192.0.2.9:6642"}
tailscale: {enabled: true, auth_key: tskey-auth-x}
netbird: {enabled: false, management_url: "https://netbird.example.com"}
`,
    );
    await appliance.start();
    expect(await config('ovn')).toMatchObject({ enabled: true, database: 'tcp:192.0.2.9:6642' });
    expect(units()['ovn-controller.service']).toMatchObject({ active: 'active' });
    // Its programs aren't there.
    expect(await config('tailscale')).toMatchObject({ enabled: false, auth_key: '' });
    expect(await config('netbird')).toMatchObject({ management_url: 'https://netbird.example.com' });
    await seed('version: "1"\novn: {enabled: false}\n');
    await appliance.reboot();
    expect(await config('ovn')).toMatchObject({ enabled: true });
    expect(units()['ovn-controller.service']).toMatchObject({ active: 'active' });
  });

  it('that can not be used goes on without it', async () => {
    await seed('version: "1"\novn: {enabled: true, databases: x}\n');
    await appliance.start();
    expect(await config('ovn')).toMatchObject({ enabled: false });
  });
});
