import { describe, expect, it } from 'vitest';
import { defaultDescription, withDrive, withNic } from './description.ts';
import { busArgv, driveDevice, pluggedArgv } from './devices.ts';
import { type Drive, driveOf } from './drive.ts';
import { nicOf } from './nic.ts';

const disk: Drive = { ...driveOf('disk1:1GiB'), attached: true, failed: false };

describe("the hardware as QEMU's arguments", () => {
  it('has the ports first, in the order of their buses', () => {
    const devices = busArgv().filter((_, index) => index % 2 === 1);
    expect(devices.slice(0, 2)).toEqual([
      'pcie-root-port,id=port1,bus=pcie.0,multifunction=on,addr=10.0,chassis=1,slot=1',
      'pcie-root-port,id=port2,bus=pcie.0,multifunction=on,addr=10.1,chassis=2,slot=2',
    ]);
    expect(devices[15]).toMatch(/^pcie-root-port,id=port16,.*addr=11\.7,/u);
  });

  it('leads the first card’s port to the API, and no other', () => {
    const { description } = withNic(defaultDescription, nicOf('lan'));
    const netdevs = pluggedArgv({ ...description, port: 9500 }).filter((word) => word.startsWith('{"type"'));
    expect(netdevs).toEqual([
      '{"type":"user","id":"enp5s0","hostfwd":[{"str":"tcp:127.0.0.1:9500-:8443"}]}',
      '{"type":"user","id":"lan","net":"10.0.102.0/24","ipv6-prefix":"fec0:0:0:2::"}',
    ]);
  });

  it('leaves out a drive that was pulled out', () => {
    const { description } = withDrive(defaultDescription, driveOf('disk1:1GiB'));
    const out = { ...description, drives: [{ ...disk, attached: false }] };
    expect(pluggedArgv(description).join(' ')).toContain('serial=disk1');
    expect(pluggedArgv(out)).toEqual(pluggedArgv(defaultDescription));
  });

  it('has a failed drive answer from a node of errors', () => {
    const failed = { ...disk, failed: true };
    expect(driveDevice(failed)).toMatchObject({ drive: 'failed-disk1', serial: 'disk1' });
    const argv = pluggedArgv({ ...defaultDescription, drives: [failed] });
    expect(argv).toContain(
      '{"driver":"blkdebug","node-name":"failed-disk1","image":"drive-disk1","inject-error":[{"event":"none","errno":5}]}',
    );
  });
});
