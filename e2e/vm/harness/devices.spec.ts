import { describe, expect, it } from 'vitest';
import { cardArgv, driveArgv, linkOf } from './devices.ts';

describe('the devices of a machine under test', () => {
  it('gives a drive the serial number that its link is named after', () => {
    const drive = { serial: 'd1', bus: 'scsi', file: 'd1.raw' } as const;
    expect(driveArgv([drive])).toEqual([
      '-drive',
      'if=none,id=drive-d1,format=raw,file=/vm/d1.raw,cache=unsafe',
      '-device',
      'scsi-hd,bus=scsi0.0,id=device-d1,drive=drive-d1,serial=d1',
    ]);
    expect(linkOf(drive)).toBe('scsi-0QEMU_QEMU_HARDDISK_d1');
  });

  it('plugs drives on USB into the controller that every machine has', () => {
    const drives = ['a', 'b'].map(
      (serial) => ({ serial, bus: 'usb', file: serial, readOnly: true }) as const,
    );
    const argv = driveArgv(drives);
    expect(argv.filter((word) => word.includes('bus=usb.0'))).toHaveLength(2);
    expect(argv).toContain('if=none,id=drive-b,format=raw,file=/vm/b,cache=unsafe,readonly=on');
  });

  it('puts the two ends of a shared network on one socket', () => {
    const [, listen] = cardArgv([{ mac: '52:54:00:00:00:01', network: { listen: '/run/net' } }]);
    const [, connect] = cardArgv([{ mac: '52:54:00:00:00:02', network: { connect: '/run/net' } }]);
    expect(listen).toContain('server=on,addr.type=unix,addr.path=/run/net');
    expect(connect).toContain('server=off,addr.type=unix,addr.path=/run/net');
  });
});
