import { describe, expect, it } from 'vitest';
import { parseCpuInfo, parseCpuList } from './cpu.ts';
import { pciAddressIn } from './kernel-view.ts';
import { parseMemInfo } from './memory.ts';

describe('what the kernel shows', () => {
  it('is a list of processors with ranges', () => {
    expect([...parseCpuList('0-2,5')]).toEqual([0, 1, 2, 5]);
    expect([...parseCpuList('')]).toEqual([]);
  });

  it('is one block for each processor in cpuinfo', () => {
    const infos = parseCpuInfo('processor\t: 0\nmodel name\t: A: B\n\nprocessor\t: 1\nflags\t\t: a b\n\n');
    expect(infos.get(0)?.get('model name')).toBe('A: B');
    expect(infos.get(1)?.get('flags')).toBe('a b');
  });

  it('is memory of the machine or of a node', () => {
    expect(parseMemInfo('MemTotal:       24684092 kB\nHugePages_Total:       3\n')).toEqual(
      new Map([
        ['MemTotal', 24_684_092n],
        ['HugePages_Total', 3n],
      ]),
    );
    expect(parseMemInfo('Node 0 MemFree:        12 kB\n').get('MemFree')).toBe(12n);
  });

  it('is the innermost PCI device on the way to another one', () => {
    expect(pciAddressIn('/sys/devices/pci0000:00/0000:00:04.0/virtio1/host0/block/sda')).toBe('0000:00:04.0');
    expect(pciAddressIn('/sys/devices/pci0000:00/0000:00:1c.0/0000:05:00.0/net/enp5s0')).toBe('0000:05:00.0');
    expect(pciAddressIn('/sys/devices/virtual/net/lo')).toBeUndefined();
  });
});
