/** The output of `tailscale status --json`: `Status` and `PeerStatus` of ipn/ipnstate in Tailscale's source. */
import { ServiceTailscaleState, type ServiceTailscaleStatePeer } from '@incusos/contracts/addons';

/** What is shown while no daemon can be asked. */
export function emptyTailscaleState(): ServiceTailscaleState {
  return ServiceTailscaleState.create();
}

/** @throws SyntaxError when it isn't JSON. */
export function parseTailscaleStatus(text: string): ServiceTailscaleState {
  const status = recordOf(JSON.parse(text));
  const tailnet = recordOf(status['CurrentTailnet']);
  const peers = Object.values(recordOf(status['Peer'])).filter(isRecord).map(peerOf);
  const health = stringsOf(status['Health']);
  const name = textOf(tailnet['Name']);
  const suffix = textOf(tailnet['MagicDNSSuffix']);
  return ServiceTailscaleState.create({
    version: textOf(status['Version']),
    backend_state: textOf(status['BackendState']),
    ...(name === '' ? {} : { tailnet_name: name }),
    ...(suffix === '' ? {} : { tailnet_dns_suffix: suffix }),
    ...(isRecord(status['Self']) ? { self: peerOf(status['Self']) } : {}),
    peer: peers.toSorted((a, b) => compare(a.host_name, b.host_name) || compare(a.id, b.id)),
    have_node_key: status['HaveNodeKey'] === true,
    health,
  });
}

function peerOf(peer: Readonly<Record<string, unknown>>): ServiceTailscaleStatePeer {
  return {
    id: textOf(peer['ID']),
    public_key: textOf(peer['PublicKey']),
    host_name: textOf(peer['HostName']),
    dns_name: textOf(peer['DNSName']),
    os: textOf(peer['OS']),
    tailscale_ips: stringsOf(peer['TailscaleIPs']),
    rx_bytes: bytesOf(peer['RxBytes']),
    tx_bytes: bytesOf(peer['TxBytes']),
    used_as_exit_node: peer['ExitNode'] === true,
    exit_node_offered: peer['ExitNodeOption'] === true,
    online: peer['Online'] === true,
    expired: peer['Expired'] === true,
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function recordOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function stringsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
}

function bytesOf(value: unknown): bigint {
  return typeof value === 'number' && Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
