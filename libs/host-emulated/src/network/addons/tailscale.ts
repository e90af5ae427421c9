/**
 * The command line of Tailscale 1.103: `status`, `up`, `set`, `logout` and `serve`, with the flags of cmd/tailscale/cli and
 * the JSON of ipn/ipnstate in its source.
 */
import type { EmulatedMachine } from '../../machine/emulated-machine.ts';
import { failure, type Tool, type ToolCall, type ToolResult } from '../../tools/tool.ts';
import { FlagError, type FlagTable, parseGoFlags } from './flags.ts';
import type { TailscaleNode, TailscalePeer } from './section.ts';
import { isRunning } from './units.ts';

const shared: FlagTable = {
  values: ['exit-node', 'advertise-routes', 'hostname', 'operator', 'netfilter-mode', 'accept-risk'],
  switches: [
    'accept-routes',
    'accept-dns',
    'exit-node-allow-lan-access',
    'shields-up',
    'ssh',
    'advertise-connector',
    'advertise-exit-node',
    'report-posture',
    'snat-subnet-routes',
    'stateful-filtering',
  ],
};

const flagsOf: Readonly<Record<string, FlagTable>> = {
  status: { values: ['listen'], switches: ['json', 'web', 'active', 'self', 'peers', 'browser', 'header'] },
  logout: { values: ['reason'], switches: [] },
  up: {
    values: [
      ...shared.values,
      'auth-key',
      'audience',
      'client-id',
      'client-secret',
      'id-token',
      'login-server',
      'advertise-tags',
      'qr-format',
      'timeout',
    ],
    switches: [...shared.switches, 'qr', 'host-routes', 'json', 'reset', 'force-reauth'],
  },
  set: {
    values: [...shared.values, 'nickname', 'relay-server-port', 'relay-server-static-endpoints'],
    switches: [...shared.switches, 'update-check', 'auto-update', 'webclient'],
  },
  serve: {
    values: [
      'set-path',
      'https',
      'http',
      'accept-app-caps',
      'service',
      'tcp',
      'tls-terminated-tcp',
      'proxy-protocol',
    ],
    switches: ['bg', 'tun', 'yes'],
  },
};

const usualServer = 'https://controlplane.tailscale.com';

export const tailscale: Tool = async (call) => {
  const [command = '', ...args] = call.args;
  const table = flagsOf[command];
  if (table === undefined) return failure(`tailscale: unknown subcommand: ${command}`);
  let parsed;
  try {
    parsed = parseGoFlags(args, table);
  } catch (error) {
    if (error instanceof FlagError) return failure(error.message, 2);
    throw error;
  }
  const { flags, rest } = parsed;
  if (command !== 'serve' && rest.length > 0)
    return failure(`too many non-flag arguments: [${rest.map((each) => JSON.stringify(each)).join(' ')}]`);
  if (!isRunning(call, 'tailscale.service')) {
    return failure(
      "failed to connect to local tailscaled; it doesn't appear to be running (sudo systemctl start tailscaled ?)",
    );
  }
  switch (command) {
    case 'status':
      return flags.get('json') === 'true'
        ? { stdout: JSON.stringify(status(call.machine), undefined, 2) }
        : { stdout: '' };
    case 'logout':
      await change(call, (node) => {
        node.login_server = '';
      });
      return {};
    case 'up':
      return up(call, flags);
    case 'set':
      return set(call, flags);
    default:
      return serve(call, flags, rest);
  }
};

async function up(call: ToolCall, flags: ReadonlyMap<string, string>): Promise<ToolResult> {
  const server = flags.get('login-server') ?? usualServer;
  let key = flags.get('auth-key') ?? '';
  if (key.startsWith('file:')) {
    const path = key.slice('file:'.length);
    const text = await call.files.readText(path).catch(() => undefined);
    if (text === undefined) return failure(`open ${path}: no such file or directory`);
    key = text.trim();
  }
  if (key === '') {
    return failure(
      '\nTo authenticate, visit:\n\n\thttps://login.tailscale.com/a/0123456789abc\n\n' +
        'timeout waiting for Tailscale service to enter a Running state; check health with "tailscale status"',
    );
  }
  const { accepted_keys: accepted } = call.machine.read().network.addons.tailscale;
  const known =
    accepted.length === 0 ? /^tskey-/u.test(key) || server !== usualServer : accepted.includes(key);
  if (!known) return failure(`backend error: invalid key: unable to validate API key`);
  await change(call, (node) => {
    node.login_server = server;
    if (flags.get('reset') === 'true') node.prefs = {};
  });
  return {};
}

async function set(call: ToolCall, flags: ReadonlyMap<string, string>): Promise<ToolResult> {
  const routes = flags.get('advertise-routes') ?? '';
  for (const route of routes === '' ? [] : routes.split(',')) {
    if (!/^[\d.:a-fA-F]+\/\d{1,3}$/u.test(route))
      return failure(`${JSON.stringify(route)} is not a valid IP address or CIDR prefix`);
  }
  const exit = flags.get('exit-node') ?? '';
  const { peers } = call.machine.read().network.addons.tailscale;
  if (
    exit !== '' &&
    !exit.startsWith('auto:') &&
    !peers.some(({ host_name, ip }) => [host_name, ip].includes(exit))
  )
    return failure(`invalid value ${JSON.stringify(exit)} for --exit-node; must be IP or peer hostname`);
  await change(call, (node) => {
    for (const [name, value] of flags) node.prefs[name] = value;
  });
  return {};
}

async function serve(
  call: ToolCall,
  flags: ReadonlyMap<string, string>,
  rest: readonly string[],
): Promise<ToolResult> {
  const [target] = rest;
  if (target === 'reset' && rest.length === 1) {
    await change(call, (node) => {
      node.serve = [];
    });
    return {};
  }
  if (target === undefined || rest.length > 1)
    return failure('Error: invalid argument format\ntry `tailscale serve --help` for usage info');
  const port = flags.get('https') ?? '443';
  if (!/^\d+$/u.test(port) || Number(port) < 1 || Number(port) > 65_535)
    return failure(`invalid value ${JSON.stringify(port)} for flag -https: parse error`, 2);
  // In the foreground it would go on until it is interrupted.
  if (flags.get('bg') !== 'true') return failure('interrupted', 130);
  const service = flags.get('service');
  if (service !== undefined && !service.startsWith('svc:'))
    return failure(`invalid value ${JSON.stringify(service)} for flag -service: invalid service name`, 2);
  await change(call, (node) => {
    node.serve.push(`${service ?? 'node'}:${port} ${target}`);
  });
  return { stdout: `Serve started and running in the background.\n` };
}

function change({ machine }: ToolCall, edit: (node: TailscaleNode) => void): Promise<void> {
  return machine.change(({ network }) => edit(network.addons.tailscale));
}

/** `Status` of ipn/ipnstate, without what nobody here reads. */
function status(machine: EmulatedMachine): object {
  const { addons, host_name } = machine.read().network;
  const node = addons.tailscale;
  const joined = node.login_server !== '';
  const suffix = 'tail0123.ts.net';
  const self = peerStatus(
    { host_name, os: 'linux', ip: '100.64.0.1', online: joined },
    joined ? suffix : '',
    '',
  );
  return {
    Version: '1.103.0-t0123456789-g0123456789',
    TUN: true,
    BackendState: joined ? 'Running' : 'NeedsLogin',
    ...(joined ? { HaveNodeKey: true } : {}),
    AuthURL: '',
    TailscaleIPs: joined ? ['100.64.0.1'] : null,
    Self: joined ? self : { ...self, ID: '', DNSName: '', TailscaleIPs: null },
    Health: joined ? [] : ['You are logged out. The last login error was: '],
    MagicDNSSuffix: joined ? suffix : '',
    CurrentTailnet: joined ? { Name: 'example.com', MagicDNSSuffix: suffix, MagicDNSEnabled: true } : null,
    CertDomains: null,
    Peer: joined
      ? Object.fromEntries(
          node.peers.map((peer, index) => [
            `nodekey:${String(index).padStart(64, '0')}`,
            peerStatus(peer, suffix, node.prefs['exit-node'] ?? '', index + 2),
          ]),
        )
      : null,
    User: null,
    ClientVersion: null,
  };
}

function peerStatus(
  peer: TailscalePeer,
  suffix: string,
  exitNode: string,
  number = 1,
): Record<string, unknown> {
  return {
    ID: `n${number}CNTRL`,
    NodeID: number,
    PublicKey: `nodekey:${String(number).padStart(64, '0')}`,
    HostName: peer.host_name,
    DNSName: suffix === '' ? '' : `${peer.host_name}.${suffix}.`,
    OS: peer.os,
    UserID: 1,
    TailscaleIPs: [peer.ip],
    AllowedIPs: [`${peer.ip}/32`],
    Addrs: null,
    CurAddr: '',
    Relay: 'fra',
    PeerRelay: '',
    RxBytes: 1024 * number,
    TxBytes: 2048 * number,
    Created: '2026-10-01T08:00:00Z',
    LastWrite: '0001-01-01T00:00:00Z',
    LastSeen: '0001-01-01T00:00:00Z',
    LastHandshake: '0001-01-01T00:00:00Z',
    Online: peer.online,
    ExitNode: exitNode !== '' && [peer.host_name, peer.ip].includes(exitNode),
    ExitNodeOption: false,
    Active: false,
    PeerAPIURL: null,
    TaildropTarget: 0,
    NoFileSharingReason: '',
    InNetworkMap: true,
    InMagicSock: true,
    InEngine: false,
  };
}
