import { describe, expect, it } from 'vitest';
import { consoleDevices } from './console-devices.ts';

describe('console devices', () => {
  const machine = { active: 'tty0\n', commandLine: 'quiet loglevel=0', configured: [], guest: false };

  it('are the screen alone on a machine with nothing else', () => {
    expect(consoleDevices(machine)).toEqual(['tty1']);
    expect(consoleDevices({ ...machine, active: '' })).toEqual(['tty1']);
  });

  it('have the system console when that is a serial port, and none twice', () => {
    expect(
      consoleDevices({ ...machine, active: 'tty0 ttyAMA0\n', configured: ['ttyAMA0', 'ttyS1'] }),
    ).toEqual(['tty1', 'ttyAMA0', 'ttyS1']);
  });

  it('leave the system console to the journal where that goes there', () => {
    const commandLine = 'quiet console=ttyS0 systemd.journald.forward_to_console=1 loglevel=5';
    expect(consoleDevices({ ...machine, active: 'ttyS0\n', commandLine })).toEqual(['tty1']);
    const off = 'systemd.journald.forward_to_console=0';
    expect(consoleDevices({ ...machine, active: 'ttyS0\n', commandLine: off })).toEqual(['tty1', 'ttyS0']);
  });

  it('have the first serial port in a guest of Incus', () => {
    expect(consoleDevices({ ...machine, guest: true })).toEqual(['tty1', 'ttyS0']);
  });
});
