import { describe, expect, it } from 'vitest';
import { forEachTest } from '../testing/system-appliance.ts';

const the = forEachTest();

describe('resources', () => {
  it('lists processors, memory, devices and firmware', async () => {
    const { resources } = await the.system.getResources({});
    expect(resources?.cpu).toMatchObject({
      architecture: 'x86_64',
      total: 4,
      sockets: [
        {
          name: 'Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz',
          vendor: 'GenuineIntel',
          frequency: 3900,
          frequency_minimum: 1000,
          address_sizes: { physical_bits: 46, virtual_bits: 48 },
        },
      ],
    });
    expect(resources?.cpu?.sockets[0]?.cores).toHaveLength(4);
    expect(resources?.cpu?.sockets[0]?.cache).toContainEqual({
      level: 2,
      type: 'Unified',
      size: 1_048_576n,
    });
    expect(resources?.memory?.total).toBeGreaterThan(8_000_000_000n);
    expect(resources?.network).toMatchObject({
      total: 1,
      cards: [
        {
          pci_address: '0000:05:00.0',
          product: 'Virtio 1.0 network device',
          ports: [{ id: 'enp5s0', protocol: 'ethernet' }],
        },
      ],
    });
    expect(resources?.storage?.disks[0]).toMatchObject({
      id: 'sda',
      device: '8:0',
      device_id: 'scsi-0QEMU_QEMU_HARDDISK_incus_root',
      size: 50n * 1024n ** 3n,
      type: 'scsi',
    });
    expect(resources?.gpu).toMatchObject({
      total: 1,
      cards: [{ pci_address: '0000:02:00.0', driver: 'virtio-pci' }],
    });
    expect(resources?.usb).toMatchObject({
      total: 1,
      devices: [{ product: 'QEMU USB Tablet', speed: 480, interfaces: [{ class_id: 3, driver: 'usbhid' }] }],
    });
    expect(resources?.pci?.total).toBe(the.machine.read().system.pci.length);
    expect(resources?.system).toMatchObject({
      vendor: 'QEMU',
      type: 'virtual-machine',
      chassis: { type: 'Other' },
    });
    expect(resources?.load?.processes).toBe(142);
  });
});
