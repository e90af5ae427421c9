/** What the add-on services' real programs answer: Open vSwitch 3.5 and OVN 25.03 of Debian 13, Tailscale's and NetBird's source. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Host } from '@incusos/host';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EmulatedMachine, openEmulatedHost, switchOn } from '../../index.ts';
import { programCommands } from './installed.ts';

let directory: string;
let machine: EmulatedMachine;
let host: Host;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'addons-'));
  machine = new EmulatedMachine(directory);
  machine.create();
  await switchOn(machine);
  host = openEmulatedHost(machine);
});

afterEach(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));

/** Exit code and what was printed. */
async function say(...argv: [string, ...string[]]): Promise<[number, string]> {
  const { exitCode, stdout, stderr } = await host.programs.run(argv, { acceptExitCodes: 'any' });
  return [exitCode, stdout + stderr];
}
const install = (name: string) =>
  programCommands.find((command) => command.name === 'program add')?.run(machine, [name], {});

describe('ovs-vsctl', () => {
  it('needs its database, and a switch that takes changes over', async () => {
    expect(await say('ovs-vsctl', 'get', 'open_vswitch', '.', 'external_ids')).toEqual([
      1,
      'ovs-vsctl: unix:/var/run/openvswitch/db.sock: database connection failed (No such file or directory)\n',
    ]);
    await host.programs.run(['systemctl', 'start', 'ovsdb-server']);
    expect((await say('ovs-vsctl', '--timeout=2', 'set', 'open_vswitch', '.', 'external_ids:a=b'))[0]).toBe(
      142,
    );
    expect(await say('ovs-vsctl', '--no-wait', 'set', 'open_vswitch', '.', 'external_ids:a=b')).toEqual([
      0,
      '',
    ]);
  });

  it('prints values as the real one does', async () => {
    await host.programs.run(['systemctl', 'start', 'ovs-vswitchd']);
    await say(
      'ovs-vsctl',
      'set',
      'Open_vSwitch',
      '.',
      'external-ids:hostname="a b,c"',
      'external_ids:ovn-encap-ip=10.0.0.5',
      'external_ids:ovn-encap-type=geneve',
      'external_ids:ovn-is-interconn=false',
    );
    expect(await say('ovs-vsctl', 'get', 'open_vswitch', '.', 'external_ids')).toEqual([
      0,
      '{hostname="a b,c", ovn-encap-ip="10.0.0.5", ovn-encap-type=geneve, ovn-is-interconn="false"}\n',
    ]);
    expect(await say('ovs-vsctl', 'get', 'open_vswitch', '.', 'external_ids:nope')).toEqual([
      1,
      'ovs-vsctl: no key "nope" in Open_vSwitch record "." column external_ids\n',
    ]);
    await say('ovs-vsctl', 'remove', 'open_vswitch', '.', 'external_ids', 'ovn-encap-ip', 'nope');
    expect(await say('ovs-vsctl', '--columns=external_ids', '--format=json', 'list', 'open_vswitch')).toEqual(
      [
        0,
        '{"data":[[["map",[["hostname","a b,c"],["ovn-encap-type","geneve"],["ovn-is-interconn","false"]]]]],"headings":["external_ids"]}\n',
      ],
    );
  });

  it.each([
    [['--bogus', 'set'], "ovs-vsctl: unrecognized option '--bogus'\n"],
    [['bogus'], "ovs-vsctl: unknown command 'bogus'; use --help for help\n"],
    [['set', 'open_vswitch', '.'], "ovs-vsctl: 'set' command requires at least 3 arguments\n"],
    [['set', 'bogus', '.', 'external_ids:a=b'], 'ovs-vsctl: unknown table "bogus"\n'],
    [
      ['set', 'open_vswitch', '.', 'bogus:a=b'],
      'ovs-vsctl: Open_vSwitch does not contain a column whose name matches "bogus"\n',
    ],
    [
      ['set', 'open_vswitch', '.', 'external_ids:a='],
      'ovs-vsctl: external_ids:a=: argument does not end in "=" followed by a value.\n',
    ],
  ])('refuses %j', async (args, text) => {
    await host.programs.run(['systemctl', 'start', 'ovs-vswitchd']);
    expect(await say('ovs-vsctl', ...args)).toEqual([1, text]);
  });
});

describe('the units', () => {
  it('of Open vSwitch go together', async () => {
    await host.programs.run(['systemctl', 'start', 'ovs-vswitchd']);
    expect(await say('systemctl', 'is-active', 'ovsdb-server')).toEqual([0, 'active\n']);
    await host.programs.run(['systemctl', 'stop', 'ovsdb-server']);
    expect(await say('systemctl', 'is-active', 'ovs-vswitchd')).toEqual([3, 'inactive\n']);
  });

  it('fail for options that a daemon does not know, and without their programs', async () => {
    const unit = '/run/systemd/system/tailscale.service';
    const start = async (options: string): Promise<number> => {
      await host.files.writeAtomic(unit, `[Service]\nExecStart=/usr/local/bin/tailscaled ${options}\n`);
      return (await say('systemctl', 'restart', 'tailscale'))[0];
    };
    expect(await start('--tun=_tailscale0')).toBe(1);
    await install('tailscale');
    expect(await start('--tun=_tailscale0')).toBe(0);
    expect(await start('--tunnel=_tailscale0')).toBe(1);
    expect(await start('--port=70000')).toBe(1);
  });
});

describe('ovn-appctl', () => {
  it('ends the controller, which has to run', async () => {
    expect(await say('ovn-appctl', '-t', 'ovn-controller', 'exit')).toEqual([
      1,
      'ovn-appctl: cannot read pidfile "/var/run/ovn/ovn-controller.pid" (No such file or directory)\n',
    ]);
    await host.files.writeAtomic(
      '/run/systemd/system/ovn-controller.service',
      '[Service]\nExecStart=/usr/bin/ovn-controller unix:/run/openvswitch/db.sock\n',
    );
    await host.programs.run(['systemctl', 'start', 'ovn-controller']);
    expect(await say('ovn-appctl', '-t', 'ovn-controller', 'exit')).toEqual([0, '']);
    expect(await say('systemctl', 'is-active', 'ovn-controller')).toEqual([3, 'inactive\n']);
  });
});

describe.each(['tailscale', 'netbird'])('%s', (program) => {
  it('is there once it was installed, and can say that its daemon is not running', async () => {
    await expect(host.programs.run([program, 'up'])).rejects.toMatchObject({ failure: 'not-found' });
    await install(program);
    const [code, text] = await say(program, 'up');
    expect([code, text]).toEqual([
      1,
      expect.stringMatching(/failed to connect to (?:local tailscaled|daemon)/u),
    ]);
  });
});

describe('tailscale', () => {
  beforeEach(async () => {
    await install('tailscale');
    await host.programs.run(['systemctl', 'start', 'tailscale']);
  });

  it.each([
    [['up', '--authkey=x'], 2, 'flag provided but not defined: -authkey\n'],
    [['set', '--accept-routes', 'false'], 1, 'too many non-flag arguments: ["false"]\n'],
    [['set', '--accept-dns=maybe'], 2, 'invalid boolean value "maybe" for -accept-dns: parse error\n'],
    [['set', '--advertise-routes=10.0.0.1'], 1, '"10.0.0.1" is not a valid IP address or CIDR prefix\n'],
    [['up', '--auth-key', 'file:/no/file'], 1, 'open /no/file: no such file or directory\n'],
    [['frobnicate'], 1, 'tailscale: unknown subcommand: frobnicate\n'],
  ])('refuses %j', async (args, code, text) => {
    expect(await say('tailscale', ...args)).toEqual([code, text]);
  });

  it('logs in by a key from a file, and shows what it is', async () => {
    const status = async () => JSON.parse((await say('tailscale', 'status', '--json'))[1]) as unknown;
    expect(await status()).toMatchObject({ BackendState: 'NeedsLogin', Peer: null, CurrentTailnet: null });
    await host.files.writeAtomic('/run/key', 'tskey-auth-x\n');
    expect(await say('tailscale', 'up', '--auth-key', 'file:/run/key')).toEqual([0, '']);
    expect(await status()).toMatchObject({
      BackendState: 'Running',
      HaveNodeKey: true,
      Self: { TailscaleIPs: ['100.64.0.1'] },
      CurrentTailnet: { Name: 'example.com' },
    });
    await say('tailscale', 'logout');
    expect(await status()).toMatchObject({ BackendState: 'NeedsLogin' });
  });
});

describe('netbird', () => {
  beforeEach(async () => {
    await install('netbird');
    await host.files.writeAtomic(
      '/run/systemd/system/netbird.service',
      '[Service]\nExecStart=/usr/local/bin/netbird service run --log-level info\n',
    );
    await host.programs.run(['systemctl', 'start', 'netbird']);
  });

  it.each([
    [['up', '--block-inbounds'], 'Error: unknown flag: --block-inbounds\n'],
    [['up', '--setup-key'], 'Error: flag needs an argument: --setup-key\n'],
    [
      ['up', '--disable-dns=maybe'],
      'Error: invalid argument "maybe" for "--disable-dns" flag: strconv.ParseBool: parsing "maybe": invalid syntax\n',
    ],
    [
      ['up', '--setup-key', 'a', '--setup-key-file', 'b'],
      'Error: if any flags in the group [setup-key setup-key-file] are set none of the others can be; [setup-key setup-key-file] were all set\n',
    ],
    [['down'], 'Error: rpc error: code = Unknown desc = service is not up\n'],
  ])('refuses %j', async (args, text) => {
    expect(await say('netbird', ...args)).toEqual([1, text]);
  });
});
