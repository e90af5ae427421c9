import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Host, RunResult } from '@incusos/host';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmulatedHost } from '../emulated-host.ts';
import { EmulatedMachine } from '../machine/emulated-machine.ts';
import { switchOff, switchOn } from '../power-switch.ts';
import { commands } from './commands.ts';

const drive = '/dev/disk/by-id/scsi-data';

describe('the encryption of the emulated machine', () => {
  let directory: string;
  let machine: EmulatedMachine;
  let host: Host;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'emu-'));
    machine = new EmulatedMachine(directory);
    machine.create();
    host = openEmulatedHost(machine);
    await switchOn(machine);
    await machine.files.writeAtomic('/key', 'recoverykey', { mode: 0o600 });
    await plugIn();
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  /** A drive under two names. */
  const plugIn = async (): Promise<void> => {
    await machine.files.writeAtomic('/dev/sdz', '');
    await machine.files.makeSymlink('/dev/sdz', drive);
  };

  const run = (argv: readonly [string, ...string[]], stdin?: string): Promise<RunResult> =>
    host.programs.run(argv, { acceptExitCodes: 'any', ...(stdin === undefined ? {} : { stdin }) });
  const cryptsetup = (...args: string[]): Promise<RunResult> => run(['cryptsetup', ...args]);

  /** Expectations recorded from cryptsetup 2.6.1 and systemd 252 on a file. */
  it('takes the life of a header as the real tools do', async () => {
    expect(await cryptsetup('luksFormat', '--batch-mode', '--type', 'luks2', drive, '/key')).toMatchObject({
      exitCode: 0,
    });
    const recovery = await run([
      'systemd-cryptenroll',
      '--unlock-key-file=/key',
      '--recovery-key',
      '--wipe-slot=recovery',
      drive,
    ]);
    expect(recovery.stdout).toMatch(/^(?:[cbdefghijklnrtuv]{8}-){7}[cbdefghijklnrtuv]{8}\n$/u);
    expect(
      await run(
        ['cryptsetup', 'luksAddKey', '--batch-mode', '--key-file', '/key', drive, '-'],
        'pass phrase',
      ),
    ).toMatchObject({ exitCode: 0 });
    const found = await run(
      ['cryptsetup', 'open', '--test-passphrase', '--verbose', '--key-file', '-', drive],
      'pass phrase',
    );
    expect(found).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Key slot 2 unlocked.\n') });
    expect((await run(['systemd-cryptenroll', drive])).stdout).toBe(
      'SLOT TYPE\n   0 password\n   1 recovery\n   2 password\n',
    );
    expect(await cryptsetup('luksKillSlot', '--batch-mode', '--key-file', '/key', drive, '7')).toMatchObject({
      exitCode: 1,
      stderr: 'Keyslot 7 is not active.\n',
    });
    expect(
      await run(['cryptsetup', 'luksRemoveKey', '--batch-mode', drive, '-'], 'pass phrase'),
    ).toMatchObject({ exitCode: 0 });
    expect(await run(['cryptsetup', 'luksRemoveKey', '--batch-mode', drive, '-'], 'pass phrase')).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: 'No key available with this passphrase.\n',
    });
    const metadata = JSON.parse((await cryptsetup('luksDump', '--dump-json-metadata', drive)).stdout) as {
      keyslots: object;
      tokens: unknown;
    };
    expect(Object.keys(metadata.keyslots)).toEqual(['0', '1']);
    expect(metadata.tokens).toEqual({ '0': { type: 'systemd-recovery', keyslots: ['1'] } });
    await run(['systemd-cryptenroll', '--wipe-slot=password', drive]);
    expect(await run(['systemd-cryptenroll', '--wipe-slot=recovery', drive])).toMatchObject({
      exitCode: 1,
      stderr: "Wipe operation would leave no valid slots around, can't allow that, sorry.\n",
    });
  });

  it('refuses what the real tools refuse, with their exit codes', async () => {
    expect(await cryptsetup('luksDump', '--dump-json-metadata', '/dev/nothing')).toMatchObject({
      exitCode: 4,
      stderr: 'Device /dev/nothing does not exist or access denied.\n',
    });
    expect(await cryptsetup('luksDump', '--dump-json-metadata', drive)).toMatchObject({
      exitCode: 1,
      stderr: `Device ${drive} is not a valid LUKS device.\n`,
    });
    expect((await cryptsetup('isLuks', drive)).exitCode).toBe(1);
    expect((await cryptsetup('luksFoo', drive)).stderr).toContain('Unknown action.');
    expect(await cryptsetup('luksAddKey', '--bogus')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/^--bogus: unknown option\n/u),
    });
    expect(await run(['systemd-cryptenroll', '--bogus'])).toMatchObject({
      exitCode: 1,
      stderr: "systemd-cryptenroll: unrecognized option '--bogus'\n",
    });
    expect(await run(['systemd-cryptenroll'])).toMatchObject({
      exitCode: 1,
      stderr: 'No block device node specified, refusing.\n',
    });
  });

  it('opens a drive under a name until it is closed or the power goes', async () => {
    await cryptsetup('luksFormat', '--batch-mode', drive, '/key');
    expect(await run(['cryptsetup', 'open', '--key-file', '/key', drive, 'luks-data'])).toMatchObject({
      exitCode: 0,
    });
    expect(await machine.files.exists('/dev/mapper/luks-data')).toBe(true);
    expect((await cryptsetup('status', 'luks-data')).stdout).toContain('/dev/mapper/luks-data is active');
    expect(await run(['cryptsetup', 'open', '--key-file', '/key', drive, 'luks-data'])).toMatchObject({
      exitCode: 5,
      stderr: 'Device luks-data already exists.\n',
    });
    expect(await cryptsetup('close', 'luks-data')).toMatchObject({ exitCode: 0 });
    expect(await cryptsetup('close', 'luks-data')).toMatchObject({
      exitCode: 4,
      stderr: 'Device luks-data is not active.\n',
    });
    await run(['cryptsetup', 'open', '--key-file', '/key', drive, 'luks-data']);
    await switchOff(machine);
    expect(await machine.files.exists('/dev/mapper/luks-data')).toBe(false);
    await switchOn(machine);
    await plugIn();
    expect((await cryptsetup('status', 'luks-data')).exitCode).toBe(4);
    expect(
      (await run(['cryptsetup', 'open', '--test-passphrase', '--key-file', '/key', drive])).exitCode,
    ).toBe(0);
  });

  it('measures the same boot twice alike, and another one when Secure Boot is switched off', async () => {
    const pcr7 = async (): Promise<string> =>
      (await machine.files.readText('/sys/class/tpm/tpm0/pcr-sha256/7')).trim();
    const first = await pcr7();
    expect(first).toMatch(/^[0-9A-F]{64}$/u);
    await switchOn(machine);
    expect(await pcr7()).toBe(first);
    await machine.change(({ security }) => {
      security.secure_boot.enabled = false;
    });
    await switchOn(machine);
    expect(await pcr7()).not.toBe(first);
  });

  it('opens the system volumes by the TPM as long as it measures what they are bound to', async () => {
    const state = async (): Promise<number | undefined> =>
      (
        await machine.files.readBytes(
          '/sys/firmware/efi/efivars/IncusOSTPMState-12f075e0-2d07-493d-811a-00920a72c04c',
        )
      )[7];
    expect(await state()).toBe(0);
    await switchOn(machine);
    expect(await state()).toBe(0);
    await machine.change(({ security }) => {
      security.secure_boot.enabled = false;
    });
    await switchOn(machine);
    expect(await state()).toBe(1);
    await machine.change(({ security }) => {
      security.secure_boot.enabled = true;
      security.tpm.seed = 'another one';
    });
    await switchOn(machine);
    expect(await state()).toBe(1);
  });

  it('extends each PCR by what its log says', async () => {
    const log = await machine.files.readBytes('/sys/kernel/security/tpm0/binary_bios_measurements');
    let offset = 32 + log.readUInt32LE(28);
    let value: Buffer = Buffer.alloc(32);
    while (offset < log.length) {
      const pcr = log.readUInt32LE(offset);
      const digest = log.subarray(offset + 12 + 22 + 2, offset + 12 + 22 + 34);
      if (pcr === 4) value = createHash('sha256').update(value).update(digest).digest();
      offset += 12 + 22 + 34 + 4 + log.readUInt32LE(offset + 12 + 22 + 34);
    }
    expect(offset).toBe(log.length);
    expect((await machine.files.readText('/sys/class/tpm/tpm0/pcr-sha256/4')).trim()).toBe(
      value.toString('hex').toUpperCase(),
    );
  });

  it('changes firmware and TPM from outside, for the next boot', async () => {
    const command = (name: string, argument: string): Promise<string> => {
      const found = commands.find((known) => known.name === name);
      return found === undefined ? Promise.reject(new Error(name)) : found.run(machine, [argument], {});
    };
    expect(await command('secure-boot', 'off')).toBe('Secure Boot is off from the next boot on');
    expect(await command('tpm', 'clear')).toBe('the TPM is cleared');
    const path = '/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c';
    expect((await machine.files.readBytes(path))[4]).toBe(1);
    await switchOn(machine);
    expect((await machine.files.readBytes(path))[4]).toBe(0);
    await command('tpm', 'remove');
    await switchOn(machine);
    expect(await machine.files.exists('/sys/class/tpm')).toBe(false);
    await expect(command('tpm', 'shake')).rejects.toThrow("'shake' is none of clear, remove and insert");
    await expect(command('secure-boot', 'maybe')).rejects.toThrow("'maybe' is neither on nor off");
  });
});
