import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Host, RunResult } from '@incusos/host';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmulatedHost } from '../emulated-host.ts';
import { EmulatedMachine } from '../machine/emulated-machine.ts';
import { switchOn } from '../power-switch.ts';

// From RFC 7748, 6.1.
const alice = 'dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=';
const alicePublic = 'hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=';
const bobPublic = '3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=';

const device = (...lines: string[]): string =>
  ['[NetDev]', 'Name=wg0', 'Kind=wireguard', '[WireGuard]', `PrivateKey=${alice}`, ...lines].join('\n');
const peer = ['[WireGuardPeer]', `PublicKey=${bobPublic}`, 'AllowedIPs=10.0.0.1/8', 'AllowedIPs=fd00::/64'];

describe('WireGuard on the emulated machine', () => {
  let machine: EmulatedMachine;
  let host: Host;
  beforeEach(async () => {
    machine = new EmulatedMachine(mkdtempSync(join(tmpdir(), 'emu-wg-')));
    machine.create();
    await switchOn(machine);
    host = openEmulatedHost(machine);
  });
  afterEach(() => rmSync(machine.directory, { recursive: true, force: true }));

  const run = (argv: [string, ...string[]], stdin = ''): Promise<RunResult> =>
    host.programs.run(argv, { acceptExitCodes: 'any', stdin });
  const put = async (text: string, options: { mode?: number; group?: string } = {}): Promise<void> => {
    await host.files.writeAtomic('/run/systemd/network/13-wg0.netdev', text, options);
    await run(['networkctl', 'reload']);
  };
  const dump = async (): Promise<string[][]> =>
    (await run(['wg', 'show', 'all', 'dump'])).stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('\t'));

  it('makes keys of which others are derived', async () => {
    const { stdout: key } = await run(['wg', 'genkey']);
    expect(key).toMatch(/^[\w+/]{43}=\n$/u);
    expect((await run(['wg', 'pubkey'], alice)).stdout).toBe(`${alicePublic}\n`);
    expect(await run(['wg', 'pubkey'], 'none')).toMatchObject({
      exitCode: 1,
      stderr: 'wg: Key is not the correct length or format\n',
    });
  });

  it('has the devices that networkd made, in the form for programs', async () => {
    await put(device('ListenPort=51820', ...peer, 'Endpoint=[2001:db8::1]:51820', 'PersistentKeepalive=25'), {
      mode: 0o640,
      group: 'systemd-network',
    });
    expect(await dump()).toEqual([
      ['wg0', alice, alicePublic, '51820', 'off'],
      ['wg0', bobPublic, '(none)', '[2001:db8::1]:51820', '10.0.0.0/8,fd00::/64', '0', '0', '0', '25'],
    ]);
    expect((await run(['wg', 'show', 'interfaces'])).stdout).toBe('wg0\n');
  });

  it('changes the peers of a device without making it anew', async () => {
    await put(device());
    const index = async (): Promise<string> => host.files.readText('/sys/class/net/wg0/ifindex');
    const before = [await index(), (await dump())[0]?.[3]];
    await put(device(...peer));
    expect([await index(), (await dump())[0]?.[3]]).toEqual(before);
    expect(await dump()).toHaveLength(2);
  });

  it('leaves out a peer with a key that is none', async () => {
    await put(device('[WireGuardPeer]', 'PublicKey=AAAA', ...peer));
    expect(await dump()).toHaveLength(2);
  });

  it('has no device of a file that networkd can not read', async () => {
    await put(device(), { mode: 0o600 });
    expect(await dump()).toEqual([]);
    await expect(put(device(), { mode: 0o640, group: 'nobody-has-it' })).rejects.toThrow('no group');
  });
});
