import { describe, expect, it } from 'vitest';
import { linkOf } from '../hardware/drive.ts';
import { descriptionOf, tableArgv } from './hardware.ts';

describe('the hardware of a machine under test', () => {
  it('is that of every machine unless told otherwise', () => {
    const { drives, nics, tpm, secure_boot: secureBoot } = descriptionOf({}, {});
    expect({ drives, tpm, secureBoot }).toEqual({ drives: [], tpm: true, secureBoot: true });
    expect(nics.map(({ name }) => name)).toEqual(['enp5s0']);
  });

  it('has drives on any bus, whose links are as wanted', () => {
    const drives = ['d1:1GiB', 'nvme:d2:1GiB', 'usb:d3:1GiB', 'virtio:d4:1GiB', 'sata:d5:1GiB'];
    expect(descriptionOf({ drives }, {}).drives.map(linkOf)).toEqual([
      'scsi-0QEMU_QEMU_HARDDISK_d1',
      'nvme-QEMU_NVMe_Ctrl_d2',
      'usb-QEMU_QEMU_HARDDISK_d3-0:0',
      'virtio-d4',
      'ata-QEMU_HARDDISK_d5',
    ]);
  });

  it('has cards on networks that machines share', () => {
    const { nics } = descriptionOf({ nics: ['enp6s0=socket:7000', 'enp7s0=bridge:br0'] }, {});
    expect(nics.slice(1).map(({ network, port }) => ({ ...network, on: port }))).toEqual([
      { kind: 'socket', port: 7000, on: 6 },
      { kind: 'bridge', bridge: 'br0', on: 7 },
    ]);
  });

  it('has its own credentials beside those that the shell comes by', () => {
    const { credentials } = descriptionOf({ credentials: { motd: 'hello' } }, { shell: 'shell.sh' });
    expect(credentials).toEqual({ motd: 'credential-motd', shell: 'shell.sh' });
  });

  it("has the hypervisor's words in its tables, commas too", () => {
    expect(tableArgv({ firmwareStrings: ['a=1,2'] })).toEqual(['-smbios', 'type=11,value=a=1,,2']);
  });

  it('can be without TPM and without Secure Boot', () => {
    expect(descriptionOf({ tpm: false, secureBoot: false }, {})).toMatchObject({
      ...{ tpm: false, secure_boot: false },
    });
  });
});
