/** What is plugged into a new machine: the devices of a virtual machine as Incus makes them. */

export interface PciDevice {
  /** Such as `0000:05:00.0`. */
  readonly address: string;
  /** Six hexadecimal digits: class, subclass, programming interface. */
  readonly class: string;
  /** Four hexadecimal digits. */
  readonly vendor_id: string;
  readonly product_id: string;
  /** Names as udev's hardware database has them. */
  readonly vendor: string;
  readonly product: string;
  readonly driver?: string;
  readonly numa_node?: number;
  readonly iommu_group?: number;
  /** How many virtual functions it can have; absent = no SR-IOV. */
  readonly sriov_totalvfs?: number;
}

export interface UsbDevice {
  readonly bus: number;
  readonly device: number;
  readonly vendor_id: string;
  readonly product_id: string;
  readonly vendor: string;
  readonly product: string;
  readonly serial?: string;
  /** Mbit/s. */
  readonly speed: number;
  readonly interfaces: readonly {
    readonly class: number;
    readonly subclass: number;
    readonly driver?: string;
  }[];
}

const intel = { vendor_id: '8086', vendor: 'Intel Corporation' } as const;
const virtio = { vendor_id: '1af4', vendor: 'Red Hat, Inc.', driver: 'virtio-pci' } as const;

export function defaultPci(): PciDevice[] {
  return [
    {
      ...intel,
      address: '0000:00:00.0',
      class: '060000',
      product_id: '29c0',
      product: '82G33/G31/P35/P31 Express DRAM Controller',
    },
    {
      ...intel,
      address: '0000:00:1f.0',
      class: '060100',
      product_id: '2918',
      product: '82801IB (ICH9) LPC Interface Controller',
      driver: 'lpc_ich',
    },
    {
      ...intel,
      address: '0000:00:1f.2',
      class: '010601',
      product_id: '2922',
      product: '82801IR/IO/IH (ICH9R/DO/DH) 6 port SATA Controller [AHCI mode]',
      driver: 'ahci',
    },
    {
      ...intel,
      address: '0000:00:1f.3',
      class: '0c0500',
      product_id: '2930',
      product: '82801I (ICH9 Family) SMBus Controller',
      driver: 'i801_smbus',
    },
    { ...virtio, address: '0000:01:00.0', class: '010000', product_id: '1048', product: 'Virtio 1.0 SCSI' },
    { ...virtio, address: '0000:02:00.0', class: '030000', product_id: '1050', product: 'Virtio 1.0 GPU' },
    {
      vendor_id: '1b36',
      vendor: 'Red Hat, Inc.',
      address: '0000:04:00.0',
      class: '0c0330',
      product_id: '000d',
      product: 'QEMU XHCI Host Controller',
      driver: 'xhci_hcd',
    },
    {
      ...virtio,
      address: '0000:05:00.0',
      class: '020000',
      product_id: '1041',
      product: 'Virtio 1.0 network device',
    },
  ];
}

export function defaultUsb(): UsbDevice[] {
  return [
    {
      bus: 1,
      device: 2,
      vendor_id: '0627',
      product_id: '0001',
      vendor: 'QEMU',
      product: 'QEMU USB Tablet',
      serial: '28754-0000:00:04.0-1',
      speed: 480,
      interfaces: [{ class: 3, subclass: 0, driver: 'usbhid' }],
    },
  ];
}
