/** Network cards of a virtual machine. */
import { createHash } from 'node:crypto';
import { UserError } from '../../../image/tools/sentence.ts';

/**
 * What a card's cable leads to: QEMU's own network with a way out and DHCP, a network that machines on this computer share by
 * the number of a port, a hub that joins cards of this machine, a cable to a port of the neighbour of a test, or a bridge of
 * this computer.
 */
export type Network =
  | { readonly kind: 'user' }
  | { readonly kind: 'socket'; readonly port: number }
  | { readonly kind: 'hub'; readonly hub: number }
  | { readonly kind: 'cable'; readonly to: number }
  | { readonly kind: 'bridge'; readonly bridge: string };

export interface Nic {
  readonly name: string;
  readonly mac: string;
  readonly network: Network;
  readonly link: 'up' | 'down';
  /** The PCIe port, which is also the number of its bus: the card on port 6 is `enp6s0`. */
  readonly port: number;
}

export interface NicRequest {
  readonly name: string;
  readonly network: Network;
}

/** A card of QEMU's own range of addresses, from the name alone: it can be told before the machine is made. */
export function macOf(name: string): string {
  const digest = createHash('sha256').update(name).digest('hex');
  return ['52:54:00', digest.slice(0, 2), digest.slice(2, 4), digest.slice(4, 6)].join(':');
}

/** @throws UserError when it is no name of a card, by the same rule as on an emulated machine. */
export function nicNameOf(text: string): string {
  if (!/^[a-z][a-z0-9]{0,14}$/u.test(text))
    throw new UserError(
      `${text} is no name of a NIC: up to 15 lower-case letters and digits, such as enp6s0.`,
    );
  return text;
}

/** @throws UserError when there is no such network. */
export function networkOf(text: string): Network {
  const [kind, value = ''] = text.split(':');
  if (kind === 'user' && !text.includes(':')) return { kind };
  if (kind === 'socket') {
    const port = Number(value);
    if (Number.isInteger(port) && port >= 1024 && port <= 65_535) return { kind, port };
    throw new UserError(`the network ${text} is not socket:PORT with a port from 1024 to 65535.`);
  }
  if (kind === 'hub') {
    const hub = Number(value);
    if (value !== '' && Number.isInteger(hub) && hub >= 1 && hub <= 255) return { kind, hub };
    throw new UserError(`the network ${text} is not hub:NUMBER with a number from 1 to 255.`);
  }
  // Only tests have a neighbour, so nobody is told of it.
  if (kind === 'cable' && /^[1-9]$/u.test(value)) return { kind, to: Number(value) };
  // Names of network devices: dev_valid_name() of the kernel.
  if (kind === 'bridge') {
    if (/^[^\s/,=:]{1,15}$/u.test(value)) return { kind, bridge: value };
    throw new UserError(`the network ${text} is not bridge:INTERFACE.`);
  }
  throw new UserError(`there is no network ${text}; user, socket:PORT, hub:NUMBER and bridge:INTERFACE are.`);
}

/** A card from `NAME` or `NAME=NETWORK`. @throws UserError saying which part is wrong. */
export function nicOf(text: string): NicRequest {
  const [name = '', ...rest] = text.split('=');
  return { name: nicNameOf(name), network: networkOf(rest.length === 0 ? 'user' : rest.join('=')) };
}

export function networkText(network: Network): string {
  switch (network.kind) {
    case 'user':
      return 'user';
    case 'socket':
      return `socket:${network.port}`;
    case 'hub':
      return `hub:${network.hub}`;
    case 'cable':
      return `cable:${network.to}`;
    case 'bridge':
      return `bridge:${network.bridge}`;
  }
}
