/** The readers of firmware's files and programs' output, on those of a real machine with Secure Boot and a TPM. */
import { answersTo, fileIn, outputOf } from '@incusos/host-emulated/samples';
import { describe, expect, it } from 'vitest';
import * as luks from './encryption/luks.ts';
import { parseSignatureDatabase } from './firmware/signature-list.ts';
import { parseEventLog } from './tpm/event-log.ts';
import { predictPcr7, replay } from './tpm/pcr.ts';

const guids = {
  PK: '8be4df61-93ca-11d2-aa0d-00e098032b8c',
  KEK: '8be4df61-93ca-11d2-aa0d-00e098032b8c',
  SecureBoot: '8be4df61-93ca-11d2-aa0d-00e098032b8c',
  db: 'd719b2cb-3d3a-4596-a3bc-dad00e67656f',
} as const;

/** A variable without its attributes. */
function variable(name: keyof typeof guids): Buffer {
  return fileIn('security/firmware', `/sys/firmware/efi/efivars/${name}-${guids[name]}`).subarray(4);
}

describe('the firmware of a real machine', () => {
  const log = parseEventLog(
    fileIn('security/firmware', '/sys/kernel/security/tpm0/binary_bios_measurements'),
  );
  const pcr = (number: number): string =>
    fileIn('security/firmware', `/sys/class/tpm/tpm0/pcr-sha256/${number}`).toString().trim().toLowerCase();

  it('has Secure Boot switched on, with one certificate for each purpose', () => {
    expect([...variable('SecureBoot')]).toEqual([1]);
    for (const name of ['PK', 'KEK', 'db'] as const) {
      const { signatures, problems } = parseSignatureDatabase(variable(name));
      expect(problems).toEqual([]);
      expect(signatures.map(({ kind }) => kind)).toContain('x509');
    }
  });

  it('measured what its log says', () => {
    expect(log.problem).toBeUndefined();
    expect([4, 7, 11].map((number) => replay(log.events, number))).not.toContain(undefined);
    for (const number of [4, 7]) expect(replay(log.events, number)).toBe(pcr(number));
  });

  it('will measure the same at the next boot while its variables stay', () => {
    const variables = new Map(
      (['SecureBoot', 'PK', 'KEK', 'db'] as const).map((name) => [name, variable(name)]),
    );
    expect(predictPcr7(log.events, variables)).toBe(pcr(7));
    const other = new Map([...variables, ['db', Buffer.alloc(0)] as const]);
    expect(predictPcr7(log.events, other)).not.toBe(pcr(7));
  });
});

describe('the header of a real encrypted volume', () => {
  const dumps = answersTo('security/keyslots', 'cryptsetup luksDump')
    .filter(({ exit_code }) => exit_code === 0)
    .map(({ stdout }) => luks.passphraseSlots(stdout.join('\n')));

  it('has passphrases, which neither the TPM nor a recovery key is', () => {
    expect(dumps).toEqual([['0'], ['0', '1'], ['0', '1'], []]);
    for (const name of ['root', 'swap'])
      expect(
        luks.passphraseSlots(
          outputOf(
            'security/system-volumes',
            `cryptsetup luksDump --dump-json-metadata /dev/disk/by-partlabel/${name}`,
          ),
        ).length,
      ).toBeLessThan(3);
  });

  it('tells the slot that a passphrase opens', () => {
    const [found, none] = answersTo('security/keyslots', 'cryptsetup open --test-passphrase');
    expect(luks.foundSlot(found?.stdout.join('\n') ?? '')).toBe('1');
    expect(luks.foundSlot(none?.stdout.join('\n') ?? '')).toBeUndefined();
    expect(none?.exit_code).toBe(luks.noKeyAvailable);
  });

  it('is bound to the TPM once, and not again for the same values', () => {
    const [first, second, third] = answersTo(
      'security/keyslots',
      'systemd-cryptenroll --unlock-key-file=',
    ).map(({ stderr }) => stderr.join('\n').includes(luks.alreadyBound));
    expect([first, second, third]).toEqual([false, true, false]);
  });

  it('gets a recovery key, which alone is on standard output', () => {
    const enrolled = answersTo('security/keyslots', 'systemd-cryptenroll --unlock-key-file=').find(
      ({ run, exit_code }) => run.includes('--recovery-key') && exit_code === 0,
    );
    expect(enrolled?.stdout.join('\n').trim()).toMatch(
      /^(?:[cbdefghijklnrtuv]{8}-){7}[cbdefghijklnrtuv]{8}$/u,
    );
  });
});
