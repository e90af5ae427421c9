import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, itsMachine, machine, trustedClient } from './client.ts';

const rest = trustedClient();
afterAll(() => rest.close());

interface Interface {
  readonly name: string;
  readonly hwaddr: string;
  readonly addresses?: readonly string[];
  readonly [key: string]: unknown;
}

interface LastChange {
  readonly outcome: string;
  readonly time: string;
  readonly reason?: string;
  readonly deadline?: string;
}

interface Plan {
  readonly files: readonly { readonly path: string; readonly change: string; readonly diff?: string }[];
  readonly devices: readonly { readonly name: string; readonly change: string }[];
  readonly interrupted: readonly string[];
  readonly warnings: readonly { readonly field: string; readonly message: string }[];
}

interface Network {
  readonly config: { readonly interfaces: readonly Interface[]; readonly [key: string]: unknown };
  readonly state: {
    readonly configuration_in_process: boolean;
    readonly last_change?: LastChange;
    readonly problem?: string;
    readonly interfaces: Readonly<
      Record<string, { addresses?: string[]; state: string; type: string; roles?: string[] }>
    >;
  };
}

const network = '/os/1.0/system/network';
let original: Network;

beforeAll(async () => {
  original = await rest.get<Network>(network);
});

afterAll(async () => {
  await rest.succeed('PUT', network, { json: { config: original.config } });
});

function withAddresses(...addresses: string[]): { config: Network['config'] & Record<string, unknown> } {
  const [first, ...others] = original.config.interfaces;
  if (first === undefined) throw new Error('no interface');
  return { config: { ...original.config, interfaces: [{ ...first, addresses }, ...others] } };
}

async function addressesNow(): Promise<readonly string[]> {
  const { state } = await rest.get<Network>(network);
  return state.interfaces[original.config.interfaces[0]?.name ?? '']?.addresses ?? [];
}

async function lastChange(): Promise<LastChange | undefined> {
  return (await rest.get<Network>(network)).state.last_change;
}

describe('the network', () => {
  it('comes up by itself on a first start, and shows its state', () => {
    const [first] = original.config.interfaces;
    expect(first?.addresses).toEqual(['dhcp4', 'slaac']);
    const shown = original.state.interfaces[first?.name ?? ''];
    expect(shown).toMatchObject({ type: 'interface', state: 'routable' });
    expect(shown?.addresses?.length).toBeGreaterThan(0);
    expect(shown?.roles).toContain('management');
    expect(original.config).toMatchObject({ time: { timezone: 'UTC' } });
  });

  it('takes a static address beside DHCP, and shows it', async () => {
    await rest.succeed('PUT', network, { json: withAddresses('dhcp4', '10.9.8.7/24') });
    expect(await addressesNow()).toContain('10.9.8.7');
  });

  itsMachine('writes the files that systemd-networkd reads, line for line', async () => {
    const files = '/run/systemd/network';
    const [first] = original.config.interfaces;
    const mac = (first?.hwaddr ?? '').replaceAll(':', '').toLowerCase();
    const name = first?.name ?? '';
    expect(await machine.list(files)).toEqual(
      [
        `00-_p${mac}.link`,
        `10-${name}.netdev`,
        `10-_v${name}.netdev`,
        `20-_i${mac}.network`,
        `20-_p${mac}.network`,
        `20-_v${name}.network`,
        `20-${name}.network`,
      ].toSorted(),
    );
    const lines = async (file: string): Promise<string[]> =>
      (await machine.readText(`${files}/${file}`)).split('\n').filter((line) => line !== '');
    expect(await lines(`10-${name}.netdev`)).toEqual([
      '[NetDev]',
      `Name=${name}`,
      'Kind=bridge',
      '[Bridge]',
      'VLANFiltering=true',
    ]);
    expect(await lines(`20-_v${name}.network`)).toEqual(
      expect.arrayContaining([
        '[Match]',
        `Name=_v${name}`,
        'RequiredForOnline=no',
        'ClientIdentifier=mac',
        'RouteMetric=100',
        'WithoutRA=solicit',
        'LinkLocalAddressing=ipv6',
        'Address=10.9.8.7/24',
        'IPv6AcceptRA=false',
        'DHCP=ipv4',
      ]),
    );
  });

  it('refuses what can not work, says where, and changes nothing', async () => {
    const before = await rest.get<Network>(network);
    const bad = [
      [
        withAddresses('10.0.0.1'),
        "interface 0 address 0 invalid IP address '10.0.0.1', must provide a CIDR mask",
      ],
      [{ config: { interfaces: [] } }, 'network configuration has no devices defined'],
      [
        { config: { ...withAddresses('dhcp4').config, confirmation_timeout: 'soon' } },
        'invalid confirmation timeout provided',
      ],
      [
        { config: { ...withAddresses('dhcp4').config, confirmation_timeout: '0s' } },
        'confirmation timeout must be greater than zero',
      ],
    ] as const;
    for (const [json, message] of bad) {
      const { http, error } = await rest.envelope('PUT', network, { json });
      expect([http, error]).toEqual([400, expect.stringContaining(message)]);
    }
    expect((await rest.get<Network>(network)).config).toEqual(before.config);
  });

  it('keeps a change that is confirmed in time', async () => {
    const { config } = withAddresses('dhcp4', '10.9.8.9/24');
    await rest.succeed('PUT', network, { json: { config: { ...config, confirmation_timeout: '60s' } } });
    const second = await rest.envelope('PUT', network, { json: { config } });
    expect([second.http, second.error]).toEqual([
      400,
      'a pending network configuration must first be confirmed before a new configuration can be applied',
    ]);
    await rest.succeed('POST', `${network}/:confirm`);
    expect(await addressesNow()).toContain('10.9.8.9');
    const again = await rest.envelope('POST', `${network}/:confirm`);
    expect([again.http, again.error]).toEqual([400, 'no network configuration is pending a confirmation']);
  });

  it('comes back by itself when nobody confirms', async () => {
    await rest.succeed('PUT', network, { json: withAddresses('dhcp4', '10.9.8.10/24') });
    const { config } = withAddresses('dhcp4', '10.9.8.11/24');
    await rest.succeed('PUT', network, { json: { config: { ...config, confirmation_timeout: '10s' } } });
    expect(await addressesNow()).toContain('10.9.8.11');
    await eventually(async () => (await addressesNow()).includes('10.9.8.10'), 'the way back');
    const { config: after } = await rest.get<Network>(network);
    expect(after.interfaces[0]?.addresses).toEqual(['dhcp4', '10.9.8.10/24']);
    expect(after).not.toHaveProperty('confirmation_timeout');
    expect((await lastChange())?.reason).toBe('it was not confirmed within 10 s');
  });

  it('tells what a change would do, and does not do it', async () => {
    const before = await rest.get<Network>(network);
    const name = original.config.interfaces[0]?.name ?? '';
    const { config } = withAddresses('dhcp4', '10.9.8.20/24');
    const json = { config: { ...config, dns: { hostname: 'planned', domain: '' } } };
    const plan = await rest.succeed<Plan>('PUT', `${network}?dry-run=1`, { json });
    const file = plan.files.find(({ path }) => path.endsWith(`_v${name}.network`));
    expect(file).toMatchObject({ change: 'changed' });
    expect(file?.diff).toContain('+Address=10.9.8.20/24');
    expect(plan.files.find(({ path }) => path === '/etc/hosts')?.diff).toContain('+127.0.1.1 planned');
    expect([plan.devices, plan.warnings]).toEqual([[], []]);
    const after = await rest.get<Network>(network);
    expect(after.config).toEqual(before.config);
    expect(after.state.last_change).toEqual(before.state.last_change);
    expect(await addressesNow()).not.toContain('10.9.8.20');
  });

  it('plans nothing for what it has, and warns of a gateway out of reach', async () => {
    const { config } = await rest.get<Network>(network);
    expect(await rest.succeed('PUT', `${network}?dry-run=1`, { json: { config } })).toEqual({
      files: [],
      devices: [],
      interrupted: [],
      warnings: [],
    });
    const [first, ...others] = config.interfaces;
    const routes = [{ to: '203.0.113.0/24', via: '198.51.100.254' }];
    const wrong = { ...first, addresses: ['10.9.8.21/24'], routes };
    const plan = await rest.succeed<Plan>('PUT', `${network}?dry-run=1`, {
      json: { config: { ...config, interfaces: [wrong, ...others] } },
    });
    expect(plan.warnings.map(({ field }) => field)).toContain('config.interfaces[0].routes[0].via');
    const odd = await rest.envelope('PUT', `${network}?dry-run=maybe`, { json: { config } });
    expect([odd.http, odd.error]).toEqual([400, 'the query parameter dry-run has to be 1 or 0']);
  });

  it('takes a change back that does not come up, and says why', async () => {
    const { config: before } = await rest.get<Network>(network);
    const { config } = withAddresses('dhcp4', '10.9.8.22/24');
    // Nobody there hands out addresses.
    const vlan = { name: 'nowhere', parent: config.interfaces[0]?.name, id: 77, addresses: ['dhcp4'] };
    const json = { config: { ...config, vlans: [vlan], confirmation_timeout: '10s' } };
    const { http, error } = await rest.envelope('PUT', network, { json });
    const reason = 'timed out waiting for the network to come online: nowhere has no usable address';
    expect([http, error]).toEqual([500, `${reason}; the previous configuration is in force again`]);
    const after = await rest.get<Network>(network);
    expect(after.config).toEqual(before);
    expect(after.state.last_change).toMatchObject({ outcome: 'rolled-back', reason });
    expect(Object.keys(after.state.interfaces)).not.toContain('nowhere');
  });

  it('wants a confirmation by default where the configuration says so', async () => {
    const { config } = withAddresses('dhcp4', '10.9.8.23/24');
    const json = { config: { ...config, default_confirmation_timeout: '60s' } };
    await rest.succeed('PUT', network, { json });
    const unconfirmed = await lastChange();
    expect(unconfirmed?.outcome).toBe('unconfirmed');
    expect(Date.parse(unconfirmed?.deadline ?? '')).toBeGreaterThan(Date.parse(unconfirmed?.time ?? ''));
    await rest.succeed('POST', `${network}/:confirm`);
    const { config: after } = await rest.get<Network>(network);
    expect(after['default_confirmation_timeout']).toBe('60s');
    expect((await lastChange())?.outcome).toBe('applied');
    await rest.succeed('PUT', network, {
      json: { config: { ...withAddresses('dhcp4', '10.9.8.10/24').config } },
    });
  });

  itsMachine('comes back by itself also when the service is killed meanwhile', async () => {
    const { config } = withAddresses('dhcp4', '10.9.8.12/24');
    await rest.succeed('PUT', network, { json: { config: { ...config, confirmation_timeout: '10s' } } });
    await machine.kill('network');
    await eventually(async () => (await addressesNow()).includes('10.9.8.10'), 'the way back');
  });

  it('flushes the caches of the resolver', async () => {
    expect(await rest.succeed('POST', `${network}/:flush-dns`)).toEqual({});
  });
});
