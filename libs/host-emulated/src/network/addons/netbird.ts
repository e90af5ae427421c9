/** The command line of NetBird: `up` and `down`, with the flags of client/cmd in its source. */
import { failure, type Tool, type ToolCall, type ToolResult } from '../../tools/tool.ts';
import { FlagError, parsePosixFlags } from './flags.ts';
import { isRunning } from './units.ts';

const everywhere = [
  'daemon-addr',
  'management-url',
  'admin-url',
  'log-level',
  'log-file',
  'setup-key',
  'setup-key-file',
  'preshared-key',
  'hostname',
  'anonymize-level',
  'config',
  'service',
];

const ofUp = {
  values: [
    'interface-name',
    'wireguard-port',
    'mtu',
    'extra-iface-blacklist',
    'dns-router-interval',
    'extra-dns-labels',
    'profile',
    'external-ip-map',
    'dns-resolver-address',
  ],
  switches: [
    'foreground-mode',
    'network-monitor',
    'no-browser',
    'qr',
    'enable-rosenpass',
    'rosenpass-permissive',
    'disable-auto-connect',
    'disable-client-routes',
    'disable-server-routes',
    'disable-dns',
    'disable-firewall',
    'block-lan-access',
    'block-inbound',
    'disable-ipv6',
  ],
};

/** What the daemon doesn't remember. */
const unkept = new Set(['setup-key', 'setup-key-file', 'no-browser', 'anonymize', 'log-level', 'log-file']);

export const netbird: Tool = async (call) => {
  const [command = '', ...args] = call.args;
  if (command !== 'up' && command !== 'down')
    return failure(
      `Error: unknown command ${JSON.stringify(command)} for "netbird"\nRun 'netbird --help' for usage.`,
    );
  let parsed;
  try {
    const own = command === 'up' ? ofUp : { values: [], switches: [] };
    parsed = parsePosixFlags(args, {
      values: [...everywhere, ...own.values],
      switches: ['anonymize', ...own.switches],
    });
  } catch (error) {
    if (error instanceof FlagError) return failure(`Error: ${error.message}`);
    throw error;
  }
  const { flags } = parsed;
  if (flags.has('setup-key') && flags.has('setup-key-file')) {
    return failure(
      'Error: if any flags in the group [setup-key setup-key-file] are set none of the others can be; [setup-key setup-key-file] were all set',
    );
  }
  if (!isRunning(call, 'netbird.service')) {
    return failure(
      command === 'down'
        ? 'Error: context deadline exceeded'
        : 'Error: failed to connect to daemon error: context deadline exceeded\nIf the daemon is not running please run: \nnetbird service install \nnetbird service start\n',
    );
  }
  return command === 'up' ? up(call, flags) : down(call);
};

async function down({ machine }: ToolCall): Promise<ToolResult> {
  const { connected } = machine.read().network.addons.netbird;
  if (!connected) return failure('Error: rpc error: code = Unknown desc = service is not up');
  await machine.change(({ network }) => {
    network.addons.netbird.connected = false;
  });
  return { stdout: 'Disconnected\n' };
}

async function up({ machine, files }: ToolCall, flags: ReadonlyMap<string, string>): Promise<ToolResult> {
  const { connected, registered } = machine.read().network.addons.netbird;
  if (connected) return { stdout: 'Already connected\n' };
  const address = flags.get('dns-resolver-address') ?? '';
  if (address !== '' && !/^(?:[\d.]+|\[[\da-fA-F:]+\]):\d+$/u.test(address)) {
    return failure(
      `Error: parse custom DNS address: ${address} is invalid, it should be formatted as IP:Port string or as an empty string like ""`,
    );
  }
  const path = flags.get('setup-key-file');
  const read =
    path === undefined ? (flags.get('setup-key') ?? '') : await files.readText(path).catch(() => undefined);
  if (read === undefined)
    return failure(
      `Error: daemon up failed: get setup key: failed to read setup key file: open ${path ?? ''}: no such file or directory`,
    );
  const key = read.trim();
  if (key === '' ? !registered : !/^[\dA-F]{8}(?:-[\dA-F]{4}){3}-[\dA-F]{12}$/iu.test(key)) {
    return failure(
      'Error: daemon up failed: login failed: rpc error: code = PermissionDenied desc = invalid setup-key or no sso information provided',
    );
  }
  await machine.change(({ network: { addons } }) => {
    addons.netbird.registered = true;
    addons.netbird.connected = true;
    for (const [name, value] of flags) if (!unkept.has(name)) addons.netbird.config[name] = value;
  });
  return { stdout: 'Connected\n' };
}
