import { describe, expect, it } from 'vitest';
import { mediumArgv, mediumLink } from './medium.ts';

describe('a medium for the guest', () => {
  it('is read-only, in a drive of its kind', () => {
    const [, node = '', , device] = mediumArgv([{ id: 'seed', kind: 'cd', file: 'seed.iso' }]);
    expect(JSON.parse(node)).toEqual({
      ...{ driver: 'raw', 'node-name': 'medium-seed', 'read-only': true },
      file: { driver: 'file', filename: '/vm/seed.iso' },
    });
    expect(device).toBe('scsi-cd,bus=scsi0.0,id=device-seed,drive=medium-seed,serial=seed');
  });

  it('has a link by its serial number', () => {
    expect(mediumLink({ id: 'a', kind: 'disk' })).toBe('scsi-0QEMU_QEMU_HARDDISK_a');
    expect(mediumLink({ id: 'a', kind: 'usb' })).toBe('usb-QEMU_QEMU_HARDDISK_a-0:0');
    expect(mediumLink({ id: 'a', kind: 'cd' })).toBe('scsi-0QEMU_QEMU_CD-ROM_a');
  });
});
