import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buses, driveOf, linkOf, namedDrive, sizeOf } from './drive.ts';

describe('a drive as it is typed', () => {
  it('is on SCSI unless another bus is named', () => {
    expect(driveOf('disk1:10GiB')).toEqual({ id: 'disk1', bus: 'scsi', size_bytes: 10 * 1024 ** 3 });
    expect(driveOf('nvme:fast:1TB')).toEqual({ id: 'fast', bus: 'nvme', size_bytes: 1e12 });
  });

  it('can be named by its link below /dev/disk/by-id, which tells the bus', () => {
    expect(driveOf('/dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_fast:1T')).toMatchObject({ id: 'fast', bus: 'nvme' });
    expect(driveOf('usb-QEMU_QEMU_HARDDISK_stick-0:0:1T')).toMatchObject({ id: 'stick', bus: 'usb' });
  });

  it.each([
    ['disk1', 'is not of the form [BUS:]ID:SIZE'],
    ['disk1:', 'is not of the form [BUS:]ID:SIZE'],
    [':10GiB', 'is not of the form [BUS:]ID:SIZE'],
    ['a:b:c:10GiB', 'there is no bus a'],
    ['ide:disk1:10GiB', 'there is no bus ide; scsi, nvme, usb, virtio and sata are'],
    ['disk1:much', 'the size much is no size'],
    ['disk1:1MiB', 'is no size of at least 128MiB'],
    ['disk1:2000TiB', 'more than a drive can have'],
    ['disk/1:10GiB', 'the drive ID disk/1 is none'],
    ['-x:10GiB', 'the drive ID -x is none'],
    ['abcdefghijklmnopqrstu:10GiB', 'up to 20 letters'],
  ])('%s is refused with a sentence', (text, sentence) => {
    expect(() => driveOf(text)).toThrow(sentence);
  });

  it('is found again by the name that the guest gives it', () => {
    const id = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,19}$/u);
    fc.assert(
      fc.property(fc.constantFrom(...buses), id, (bus, serial) => {
        expect(namedDrive(`/dev/disk/by-id/${linkOf({ bus, id: serial })}`)).toEqual({ id: serial, bus });
      }),
    );
  });
});

describe('a size', () => {
  it.each([
    ['10GiB', 10 * 1024 ** 3],
    ['10G', 10 * 1024 ** 3],
    ['10GB', 10e9],
    ['0.5 TiB', 512 * 1024 ** 3],
    ['1000000100', 1_000_000_000],
  ])('%s is %i bytes, in whole sectors', (text, bytes) => {
    expect(sizeOf(text)).toBe(bytes);
  });

  it('is never taken from something else', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        let size: number;
        try {
          size = sizeOf(text);
        } catch {
          return;
        }
        expect(size % 512).toBe(0);
        expect(text).toMatch(/^\s*[\d.]+\s*[kmgt]?i?b?\s*$/iu);
      }),
    );
  });
});
