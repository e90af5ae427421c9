import { describe, expect, it } from 'vitest';
import {
  addKey,
  bindTpm,
  enrollRecoveryKey,
  findKey,
  foundSlot,
  killSlot,
  passphraseSlots,
  removeKey,
} from './luks.ts';
import { makePassphrase, passphraseJudge } from './passphrase.ts';

/** `cryptsetup luksDump --dump-json-metadata` of cryptsetup 2.6.1, cut down to what is read. */
const dump = `{
  "keyslots":{
    "1":{
      "type":"luks2",
      "key_size":64
    },
    "2":{
      "type":"luks2",
      "key_size":64
    }
  },
  "tokens":{
    "0":{
      "type":"systemd-recovery",
      "keyslots":[
        "1"
      ]
    }
  },
  "config":{
    "json_size":"12288",
    "keyslots_size":"16744448"
  }
}`;

describe('LUKS headers', () => {
  it('have passphrases in the keyslots that no token claims', () => {
    expect(passphraseSlots(dump)).toEqual(['2']);
    expect(() => passphraseSlots('{}')).toThrow('cryptsetup printed no LUKS2 metadata');
    expect(() => passphraseSlots('null')).toThrow('cryptsetup printed no LUKS2 metadata');
  });

  it('tell which keyslot a passphrase opened', () => {
    expect(foundSlot('No usable token is available.\nKey slot 2 unlocked.\nCommand successful.\n')).toBe('2');
    expect(
      foundSlot(
        'No usable token is available.\nCommand failed with code -2 (no permission or bad passphrase).\n',
      ),
    ).toBeUndefined();
  });

  it('are worked on with command lines that hold no passphrase', () => {
    const device = '/dev/disk/by-partlabel/root';
    const keyFile = '/keys/root';
    expect(addKey(device, keyFile)).toEqual([
      'cryptsetup',
      'luksAddKey',
      '--batch-mode',
      '--key-file',
      keyFile,
      device,
      '-',
    ]);
    expect(removeKey(device)).toEqual(['cryptsetup', 'luksRemoveKey', '--batch-mode', device, '-']);
    expect(findKey(device)).toEqual([
      'cryptsetup',
      'open',
      '--test-passphrase',
      '--verbose',
      '--key-file',
      '-',
      device,
    ]);
    expect(killSlot(device, keyFile, '3')).toEqual([
      'cryptsetup',
      'luksKillSlot',
      '--batch-mode',
      '--key-file',
      keyFile,
      device,
      '3',
    ]);
    expect(enrollRecoveryKey(device)).toEqual([
      'systemd-cryptenroll',
      '--unlock-tpm2-device=auto',
      '--recovery-key',
      '--wipe-slot=recovery',
      device,
    ]);
    expect(
      bindTpm(
        device,
        keyFile,
        new Map([
          [7, 'ab'],
          [15, '00'],
        ]),
      ),
    ).toEqual([
      'systemd-cryptenroll',
      '--unlock-key-file=/keys/root',
      '--tpm2-device=auto',
      '--wipe-slot=tpm2',
      '--tpm2-pcrlock=',
      '--tpm2-pcrs=7:sha256=ab+15:sha256=00',
      device,
    ]);
  });
});

describe('passphrases', () => {
  it('are made of 256 bits in the form of systemd, good enough by their own rules, and never the same', async () => {
    const one = makePassphrase();
    expect(one).toMatch(/^(?:[cbdefghijklnrtuv]{8}-){7}[cbdefghijklnrtuv]{8}$/u);
    expect(makePassphrase()).not.toBe(one);
    expect((await passphraseJudge())(one)).toBeUndefined();
  });

  it.each([
    'foo-bar-biz-1234',
    'correct horse, battery staple',
    'Größe über alles: 12 Äpfel',
    'x'.repeat(8) + '#Kq8!mVz2@Lw',
  ])('may be %j', async (passphrase) => {
    expect((await passphraseJudge())(passphrase)).toBeUndefined();
  });

  it.each([
    ['', 'it must have at least 15 characters'],
    ['Kq8!mVz2@Lw#9x', 'it must have at least 15 characters'],
    [`Kq8!mVz2@Lw#9x ${'ü'.repeat(300)}`, 'it must have at most 512 bytes'],
    ['Kq8!mVz2@Lw#9x\n and more', 'it must be one line without control characters'],
    ['Kq8mVz2Lw9xPq4Rt7Yb', 'it must have at least one symbol'],
    ['aaaaaaaaaaaaaaa!', 'it is too easy to guess'],
    ['qwertyuiop!qwertyuiop', 'it is too easy to guess'],
    ['password-password-password', 'it is too easy to guess'],
    ['123456789-123456789', 'it is too easy to guess'],
  ])('may not be %j', async (passphrase, weakness) => {
    expect((await passphraseJudge())(passphrase)).toBe(weakness);
  });
});
