/** The daemons of the add-on services. Their command lines are read from the unit files, and refused as the daemons do. */
import { startUnit, statusOf, stopUnit, type Unit, type UnitContext, unitFile } from '../../system/units.ts';
import { FlagError, type FlagTable, parseGoFlags, parsePosixFlags, type ParsedFlags } from './flags.ts';
import { isInstalled } from './installed.ts';

const ovsdbServer: Unit = {
  name: 'ovsdb-server.service',
  description: 'Open vSwitch Database Unit',
  process: { command: 'ovsdb-server /etc/openvswitch/conf.db' },
  // The switch needs it (Requires=).
  onStop: (context) => stopUnit(ovsVswitchd, context),
};

const ovsVswitchd: Unit = {
  name: 'ovs-vswitchd.service',
  description: 'Open vSwitch Forwarding Unit',
  process: { command: 'ovs-vswitchd unix:/var/run/openvswitch/db.sock' },
  onStart: (context) => startUnit(ovsdbServer, context),
};

const ovnController: Unit = {
  name: 'ovn-controller.service',
  description: 'Open Virtual Network host control daemon',
  process: { command: '/usr/bin/ovn-controller unix:/run/openvswitch/db.sock' },
  onStart: async (context) => {
    const args = await commandLine(context, 'ovn-controller.service', '/usr/bin/ovn-controller');
    const plain = args.filter((arg) => !/^-v\w+:\w+$/u.test(arg) && arg !== '--pidfile');
    const { flags } = read(plain, parsePosixFlags, {
      values: ['private-key', 'certificate', 'ca-cert', 'pidfile', 'log-file', 'unixctl'],
      switches: ['detach', 'monitor', 'no-chdir'],
    });
    for (const name of ['private-key', 'certificate', 'ca-cert']) {
      const path = flags.get(name);
      if (path !== undefined && !(await context.files.exists(path)))
        throw new Error(`${path}: stat failed (No such file or directory)`);
    }
  },
};

const tailscaled: Unit = {
  name: 'tailscale.service',
  description: 'Tailscale daemon',
  process: { command: '/usr/local/bin/tailscaled' },
  onStart: async (context) => {
    const args = await commandLine(context, 'tailscale.service', '/usr/local/bin/tailscaled');
    const { flags, rest } = read(args, parseGoFlags, {
      values: ['tun', 'port', 'state', 'statedir', 'socket', 'verbose'],
      switches: ['cleanup', 'no-logs-no-support', 'version'],
    });
    if (rest.length > 0) throw new Error('tailscaled does not take non-flag arguments');
    const port = flags.get('port') ?? '0';
    if (!/^\d{1,5}$/u.test(port) || Number(port) > 65_535)
      throw new Error(`invalid value "${port}" for flag -port`);
  },
};

const netbird: Unit = {
  name: 'netbird.service',
  description: 'NetBird mesh network client',
  process: { command: '/usr/local/bin/netbird service run' },
  onStart: async (context) => {
    const [service, run, ...args] = await commandLine(context, 'netbird.service', '/usr/local/bin/netbird');
    if (service !== 'service' || run !== 'run') throw new Error('Error: unknown command');
    read(args, parsePosixFlags, { values: ['log-level', 'log-file', 'daemon-addr', 'config'], switches: [] });
    // It connects by itself once it was registered.
    await context.machine.change(({ network }) => {
      network.addons.netbird.connected = network.addons.netbird.registered;
    });
  },
  onStop: ({ machine }) =>
    machine.change(({ network }) => {
      network.addons.netbird.connected = false;
    }),
};

export const addonUnits: readonly Unit[] = [ovsdbServer, ovsVswitchd, ovnController, tailscaled, netbird];

export function isRunning({ machine }: Pick<UnitContext, 'machine'>, unit: string): boolean {
  return statusOf(machine, unit).active === 'active';
}

/** The arguments of `ExecStart=`, whose program has to be there. */
async function commandLine({ files }: UnitContext, unit: string, program: string): Promise<string[]> {
  const path = await unitFile(unit, files);
  const text = path === undefined ? '' : await files.readText(path);
  const [command = '', ...args] = (/^ExecStart=(.*)$/mu.exec(text)?.[1] ?? program).split(' ');
  if (command !== program)
    throw new Error(`Failed to locate executable ${command}: No such file or directory`);
  const name = program.slice(program.lastIndexOf('/') + 1);
  if (program.startsWith('/usr/local/') && !(await isInstalled(files, name)))
    throw new Error(`Failed to locate executable ${command}: No such file or directory`);
  return args;
}

function read(
  args: readonly string[],
  parse: (args: readonly string[], table: FlagTable) => ParsedFlags,
  table: FlagTable,
): ParsedFlags {
  try {
    return parse(args, table);
  } catch (error) {
    if (error instanceof FlagError) throw new Error(error.message, { cause: error });
    throw error;
  }
}
