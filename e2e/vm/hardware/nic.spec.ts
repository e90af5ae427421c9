import { describe, expect, it } from 'vitest';
import { macOf, networkText, nicOf } from './nic.ts';

describe('a network card as it is typed', () => {
  it.each(['user', 'socket:5000', 'hub:1', 'bridge:br0'])('can be on the network %s', (text) => {
    const { name, network } = nicOf(`enp6s0=${text}`);
    expect(name).toBe('enp6s0');
    expect(networkText(network)).toBe(text);
  });

  it('is on QEMU’s own network unless another is named', () => {
    expect(nicOf('lan').network).toEqual({ kind: 'user' });
  });

  it.each([
    ['', 'is no name of a NIC'],
    ['Lan', 'Lan is no name of a NIC'],
    ['a123456789012345', 'up to 15'],
    ['lan=', 'there is no network'],
    ['lan=wifi', 'there is no network wifi; user, socket:PORT, hub:NUMBER and bridge:INTERFACE are'],
    ['lan=user:1', 'there is no network user:1'],
    ['lan=socket:80', 'a port from 1024 to 65535'],
    ['lan=socket:x', 'is not socket:PORT'],
    ['lan=hub:', 'is not hub:NUMBER'],
    ['lan=hub:0', 'a number from 1 to 255'],
    ['lan=bridge:', 'is not bridge:INTERFACE'],
    ['lan=bridge:br0,br1', 'is not bridge:INTERFACE'],
  ])('%s is refused with a sentence', (text, sentence) => {
    expect(() => nicOf(text)).toThrow(sentence);
  });

  it('has an address of its own that follows from its name', () => {
    expect(macOf('enp6s0')).toBe(macOf('enp6s0'));
    expect(macOf('enp6s0')).not.toBe(macOf('enp7s0'));
    expect(macOf('enp6s0')).toMatch(/^52:54:00(?::[0-9a-f]{2}){3}$/u);
  });
});
