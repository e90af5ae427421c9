/** wg(8) of wireguard-tools: keys, and the state of devices in the form for programs. */
import { randomBytes } from 'node:crypto';
import { failure, type Tool, type ToolResult } from '../tools/tool.ts';
import type { Link } from './section.ts';
import { isKey, newKey, publicKeyOf } from './wireguard.ts';

const usage = `Usage: wg <cmd> [<args>]

Available subcommands:
  show: Shows the current configuration and device information
  genkey: Generates a new private key and writes it to stdout
  genpsk: Generates a new preshared key and writes it to stdout
  pubkey: Reads a private key from stdin and writes a public key to stdout
You may pass \`--help' to any of these subcommands to view usage.
`;

export const wg: Tool = ({ args, stdin, machine }) => {
  const [command = 'show', ...rest] = args;
  switch (command) {
    case 'genkey':
      return { stdout: `${newKey()}\n` };
    case 'genpsk':
      return { stdout: `${randomBytes(32).toString('base64')}\n` };
    case 'pubkey': {
      const key = stdin.trim();
      return isKey(key)
        ? { stdout: `${publicKeyOf(key)}\n` }
        : failure('wg: Key is not the correct length or format');
    }
    case 'show':
      return show(
        machine.read().network.links.filter(({ kind }) => kind === 'wireguard'),
        rest,
      );
    default:
      return failure(`Invalid subcommand: \`${command}'\n${usage}`);
  }
};

function show(devices: readonly Link[], [which = '', what]: readonly string[]): ToolResult {
  if (which === 'interfaces' && what === undefined)
    return { stdout: devices.length === 0 ? '' : `${devices.map(({ name }) => name).join(' ')}\n` };
  if (what !== 'dump')
    return failure(
      'Usage: wg show { <interface> | all | interfaces } [public-key | private-key | listen-port | fwmark | peers | preshared-keys | endpoints | allowed-ips | latest-handshakes | transfer | persistent-keepalive | dump]',
    );
  if (which === 'all') return { stdout: devices.map((device) => dump(device, [device.name])).join('') };
  const device = devices.find(({ name }) => name === which);
  return device === undefined
    ? failure('Unable to access interface: No such device')
    : { stdout: dump(device, []) };
}

/** Nobody in the emulated world answers a handshake. */
function dump({ wireguard }: Link, prefix: readonly string[]): string {
  const { private_key: key = null, listen_port: port = 0, peers = [] } = wireguard ?? {};
  const none = '(none)';
  const lines = [
    [...prefix, key ?? none, key === null ? none : publicKeyOf(key), port, 'off'],
    ...peers.map((peer) => [
      ...prefix,
      peer.public_key,
      peer.preshared_key ?? none,
      peer.endpoint ?? none,
      peer.allowed_ips.length === 0 ? none : peer.allowed_ips.join(','),
      0,
      0,
      0,
      peer.keepalive === 0 ? 'off' : peer.keepalive,
    ]),
  ];
  return lines.map((line) => `${line.join('\t')}\n`).join('');
}
