/**
 * The command lines that work on the headers of the system's encrypted volumes, and what they print (cryptsetup(8),
 * systemd-cryptenroll(1)). Passphrases go through standard input or are read from files; none is in an argument.
 */

export type Argv = readonly [string, ...string[]];

/** cryptsetup(8), "RETURN CODES": no permission, which is a passphrase that opens nothing. */
export const noKeyAvailable = 2;

/** Adds the passphrase on standard input, opening the volume with a key file. */
export function addKey(device: string, keyFile: string): Argv {
  return ['cryptsetup', 'luksAddKey', '--batch-mode', '--key-file', keyFile, device, '-'];
}

/** Removes the keyslot of the passphrase on standard input. */
export function removeKey(device: string): Argv {
  return ['cryptsetup', 'luksRemoveKey', '--batch-mode', device, '-'];
}

/** Says which keyslot the passphrase on standard input opens. */
export function findKey(device: string): Argv {
  return ['cryptsetup', 'open', '--test-passphrase', '--verbose', '--key-file', '-', device];
}

/** Removes a keyslot by its number, opening the volume with a key file. */
export function killSlot(device: string, keyFile: string, slot: string): Argv {
  return ['cryptsetup', 'luksKillSlot', '--batch-mode', '--key-file', keyFile, device, slot];
}

export function dumpHeader(device: string): Argv {
  return ['cryptsetup', 'luksDump', '--dump-json-metadata', device];
}

/** Enrols a recovery key of its own making and prints it; one enrolled earlier goes. */
export function enrollRecoveryKey(device: string): Argv {
  return [
    'systemd-cryptenroll',
    '--unlock-tpm2-device=auto',
    '--recovery-key',
    '--wipe-slot=recovery',
    device,
  ];
}

/** Binds the volume to PCR values, in place of an earlier binding. PCR 11 is bound by the signed policy in `/run`. */
export function bindTpm(device: string, keyFile: string, pcrs: ReadonlyMap<number, string>): Argv {
  const values = [...pcrs].map(([pcr, value]) => `${pcr}:sha256=${value}`).join('+');
  return [
    'systemd-cryptenroll',
    `--unlock-key-file=${keyFile}`,
    '--tpm2-device=auto',
    '--wipe-slot=tpm2',
    '--tpm2-pcrlock=',
    `--tpm2-pcrs=${values}`,
    device,
  ];
}

/** What systemd-cryptenroll says when the same binding is there already. */
export const alreadyBound = 'This PCR set is already enrolled, executing no operation.';

/** The keyslot in the output of {@link findKey}. */
export function foundSlot(output: string): string | undefined {
  return /^Key slot (\d+) unlocked\.$/mu.exec(output)?.[1];
}

/**
 * The keyslots that hold passphrases: those that no token claims, for the TPM's slot and the recovery key have one.
 * @param json output of {@link dumpHeader}.
 * @throws Error when it isn't LUKS2 metadata.
 */
export function passphraseSlots(json: string): string[] {
  const metadata: unknown = JSON.parse(json);
  const keyslots = member(metadata, 'keyslots');
  const tokens = member(metadata, 'tokens');
  if (keyslots === undefined || tokens === undefined) throw new Error('cryptsetup printed no LUKS2 metadata');
  const claimed = new Set(Object.values(tokens).flatMap((token) => slotsOf(token)));
  return Object.keys(keyslots).filter((slot) => !claimed.has(slot));
}

function member(value: unknown, name: string): object | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const found = (value as Record<string, unknown>)[name];
  return typeof found === 'object' && found !== null ? found : undefined;
}

function slotsOf(token: unknown): string[] {
  const slots = member(token, 'keyslots');
  return Array.isArray(slots) ? slots.filter((slot) => typeof slot === 'string') : [];
}
