import { describe, expect, it } from 'vitest';
import { netdev } from './devices.ts';
import { networkText, nicOf } from './nic.ts';

describe('a cable to the neighbour', () => {
  it('leads to the socket of its port, and is tried again until the neighbour is there', () => {
    const { name, network } = nicOf('enp6s0=cable:2');
    expect(networkText(network)).toBe('cable:2');
    const nic = { name, network, mac: '52:54:00:00:00:01', link: 'up', port: 6 } as const;
    expect(netdev(nic, 9443)).toEqual({
      ...{ type: 'stream', id: 'enp6s0', 'reconnect-ms': 1_000 },
      addr: { type: 'unix', path: '/cables/port2' },
    });
  });

  it('is refused without a port', () => {
    expect(() => nicOf('enp6s0=cable:0')).toThrow('there is no network cable:0');
  });
});
