import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  attachedDrive,
  defaultDescription,
  type Description,
  presentNic,
  readDescription,
  withDrive,
  withNic,
  writeDescription,
} from './description.ts';
import { driveOf } from './drive.ts';
import { nicOf } from './nic.ts';

const withDrives = (...texts: readonly string[]): Description =>
  texts.reduce((description, text) => withDrive(description, driveOf(text)).description, defaultDescription);

describe('the hardware of a machine', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'vm-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('is the default in a directory that holds none', () => {
    expect(readDescription(directory)).toEqual(defaultDescription);
  });

  it('is read as it was written', () => {
    const description = withNic(withDrives('disk1:10GiB', 'nvme:fast:20GiB'), nicOf('lan=socket:5000'));
    writeDescription(directory, description.description);
    expect(readDescription(directory)).toEqual(description.description);
  });

  it.each(['{', '{"version": 9}', 'null'])('is refused with the name of its file when it is %s', (text) => {
    writeFileSync(join(directory, 'machine.json'), text);
    expect(() => readDescription(directory)).toThrow(`${directory}/machine.json can't be understood: `);
  });

  it('gives a PCIe port to each device that needs one, and says who has them when there are no more', () => {
    const full = withDrives(...Array.from({ length: 14 }, (_, index) => `nvme:n${index}:1GiB`));
    const ports = [...full.drives, ...full.nics].map(({ port }) => port);
    expect(new Set(ports).size).toBe(15);
    expect(ports).not.toContain(1);
    expect(() => withNic(full, nicOf('lan'))).toThrow(
      /^all 16 PCIe ports are taken, by nvme-.*_n0, .*enp5s0/u,
    );
    expect(() => withDrive(full, driveOf('disk1:1GiB'))).not.toThrow();
  });

  it('puts a card on the bus that its name tells, when that is free', () => {
    const { description, nic } = withNic(defaultDescription, nicOf('enp7s0'));
    expect(nic.port).toBe(7);
    expect(withNic(description, nicOf('enp1s0')).nic.port).not.toBe(1);
  });

  it('has a drive and a card once', () => {
    expect(() => withDrive(withDrives('disk1:1GiB'), driveOf('nvme:disk1:1GiB'))).toThrow(
      "drive 'disk1' is plugged in already",
    );
    expect(() => withNic(defaultDescription, nicOf('enp5s0'))).toThrow(
      'the machine has a NIC enp5s0 already',
    );
  });

  it('takes a drive that was pulled out back as what it was', () => {
    const { drives, ...rest } = withDrives('disk1:1GiB');
    const out = { ...rest, drives: drives.map((drive) => ({ ...drive, attached: false, failed: true })) };
    expect(withDrive(out, driveOf('disk1:1GiB')).drive).toMatchObject({ attached: true, failed: true });
    expect(() => withDrive(out, driveOf('disk1:2GiB'))).toThrow("drive 'disk1' has 1073741824 bytes");
    expect(() => withDrive(out, driveOf('usb:disk1:1GiB'))).toThrow("drive 'disk1' is one for scsi, not usb");
  });

  it('has places for six drives on SATA', () => {
    const full = withDrives(...Array.from({ length: 6 }, (_, index) => `sata:s${index}:1GiB`));
    expect(() => withDrive(full, driveOf('sata:s6:1GiB'))).toThrow('places for 6 drives on SATA');
  });

  it('names what there is when something is asked for that is not there', () => {
    expect(() => attachedDrive(withDrives('disk1:1GiB'), 'disk2')).toThrow(
      "no drive 'disk2' is plugged in; there are: disk1",
    );
    expect(() => presentNic(defaultDescription, 'lan')).toThrow('the machine has no NIC lan; it has enp5s0');
  });
});
