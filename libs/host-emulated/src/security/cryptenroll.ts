/** `systemd-cryptenroll` as of systemd 257 (systemd-cryptenroll(1)): recovery keys, TPM slots, listing and wiping. */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { failure, type ToolCall, type ToolResult } from '../tools/tool.ts';
import { pcrDirectory } from './boot.ts';
import { addKeyslot, addToken, canonicalDevice, headerOf, removeKeyslot, slotOf, slotType } from './luks.ts';
import type { LuksDevice, SecuritySection } from './section.ts';
import { enrollTpm, hasPolicy, type PcrPolicy, unseal } from './tpm-token.ts';

const options = {
  'recovery-key': { type: 'boolean' },
  'unlock-key-file': { type: 'string' },
  'unlock-tpm2-device': { type: 'string' },
  'tpm2-device': { type: 'string' },
  'tpm2-pcrs': { type: 'string' },
  'tpm2-pcrlock': { type: 'string' },
  'wipe-slot': { type: 'string' },
  version: { type: 'boolean' },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>['values'];

function noSuperblock(device: string): string {
  return `Failed to load LUKS2 superblock of ${device}: Invalid argument`;
}

/** What can go wrong inside of an edit of the header; nothing is changed then. */
class EnrollError extends Error {}

export async function cryptenroll(call: ToolCall): Promise<ToolResult> {
  let parsed;
  try {
    parsed = parseArgs({ args: [...call.args], options, allowPositionals: true });
  } catch (error) {
    const option = error instanceof Error ? (/'(?:-\w, )?(--?[\w-]+)/u.exec(error.message)?.[1] ?? '') : '';
    return failure(`systemd-cryptenroll: unrecognized option '${option}'`);
  }
  const { values, positionals } = parsed;
  if (values.version === true) return { stdout: 'systemd 257 (257.8-1~deb13u2)\n' };
  const [device] = positionals;
  if (device === undefined) return failure('No block device node specified, refusing.');
  const { files, machine } = call;
  if ((await canonicalDevice(files, device)) === undefined)
    return failure(
      `Device ${device} does not exist or access denied.\nFailed to allocate libcryptsetup context: Block device required`,
    );
  if (
    values['recovery-key'] !== true &&
    values['tpm2-device'] === undefined &&
    values['wipe-slot'] === undefined
  ) {
    const header = await headerOf(machine.read().security, files, device);
    return header === undefined ? failure(noSuperblock(device)) : { stdout: listing(header) };
  }
  const pcrs = await currentPcrs(call);
  const key =
    values['unlock-key-file'] === undefined ? undefined : await readKey(call, values['unlock-key-file']);
  try {
    return await machine.change(async ({ security }) => {
      const header = await headerOf(security, files, device);
      if (header === undefined) throw new EnrollError(noSuperblock(device));
      // Wiping alone needs no passphrase.
      if (values['recovery-key'] === true || values['tpm2-device'] !== undefined)
        unlock(header, security, values, key, pcrs);
      return enroll(header, security, values, pcrs);
    });
  } catch (error) {
    if (error instanceof EnrollError) return failure(error.message);
    throw error;
  }
}

function listing(header: LuksDevice): string {
  const slots = Object.keys(header.keyslots).map((slot) => `${slot.padStart(4)} ${slotType(header, slot)}\n`);
  return `SLOT TYPE\n${slots.join('')}`;
}

async function currentPcrs({ files }: ToolCall): Promise<string[]> {
  const values: string[] = [];
  for (let pcr = 0; pcr < 24; pcr += 1) {
    const path = `${pcrDirectory}/${pcr}`;
    if (await files.exists(path)) values[pcr] = (await files.readText(path)).trim().toLowerCase();
  }
  return values;
}

async function readKey({ files }: ToolCall, path: string): Promise<string | undefined> {
  return (await files.exists(path)) ? (await files.readBytes(path)).toString('latin1') : undefined;
}

function unlock(
  header: LuksDevice,
  { tpm }: SecuritySection,
  values: Values,
  key: string | undefined,
  pcrs: readonly string[],
): void {
  if (values['unlock-key-file'] !== undefined) {
    if (key === undefined)
      throw new EnrollError(`Reading keyfile ${values['unlock-key-file']} failed: No such file or directory`);
    if (slotOf(header, key) === undefined)
      throw new EnrollError('Unlocking via keyfile failed: Operation not permitted');
    return;
  }
  if (values['unlock-tpm2-device'] === undefined)
    throw new EnrollError('Failed to query password: No such device or address');
  const secret = unseal(header, tpm, pcrs);
  if (secret === undefined || slotOf(header, secret) === undefined) {
    throw new EnrollError(
      [
        'Automatically discovered security TPM2 token unlocks volume.',
        'Failed to unseal secret using TPM2: Operation not permitted',
        'No valid TPM2 token data found.',
        'No TPM2 metadata matching the current system state found in LUKS2 header.',
      ].join('\n'),
    );
  }
}

function enroll(
  header: LuksDevice,
  security: SecuritySection,
  values: Values,
  pcrs: readonly string[],
): ToolResult {
  let stdout = '';
  let stderr = '';
  let enrolled: string | undefined;
  if (values['recovery-key'] === true) {
    const recoveryKey = modhexKey();
    enrolled = taken(addKeyslot(header, recoveryKey));
    addToken(header, { type: 'systemd-recovery', keyslots: [enrolled] });
    stdout = `${recoveryKey}\n`;
    stderr = `${recoveryNotice}New recovery key enrolled as key slot ${enrolled}.\n`;
  } else if (values['tpm2-device'] !== undefined) {
    if (security.tpm.kind === 'none')
      throw new EnrollError('Failed to create TPM2 context: State not recoverable');
    const policy = policyOf(values['tpm2-pcrs'] ?? '7', pcrs);
    if (hasPolicy(header, policy))
      return { stderr: 'This PCR set is already enrolled, executing no operation.\n' };
    enrolled = taken(enrollTpm(header, security.tpm, policy));
    stderr = `New TPM2 token enrolled as key slot ${enrolled}.\n`;
  }
  if (values['wipe-slot'] !== undefined) stderr += wipe(header, values['wipe-slot'], enrolled);
  return { stdout, stderr };
}

/** Around the key itself, which goes to standard output. */
const recoveryNotice = [
  'A secret recovery key has been generated for this volume:',
  '',
  '    ',
  'Please save this secret recovery key at a secure location. It may be used to',
  'regain access to the volume if the other configured access credentials have',
  'been lost or forgotten. The recovery key may be entered in place of a password',
  'whenever authentication is requested.',
  '',
].join('\n');

function taken(slot: string | undefined): string {
  if (slot === undefined) throw new EnrollError('Failed to add new key slot: No space left on device');
  return slot;
}

/** Wipes slots by number or kind; the one just enrolled stays. */
function wipe(header: LuksDevice, list: string, enrolled: string | undefined): string {
  const wanted = list.split(',');
  const unknown = wanted.find(
    (item) => !/^(?:all|empty|password|recovery|pkcs11|fido2|tpm2|\d+)$/u.test(item),
  );
  if (unknown !== undefined) throw new EnrollError(`Failed to parse slot index: ${unknown}`);
  const slots = Object.keys(header.keyslots).filter(
    (slot) =>
      slot !== enrolled &&
      (wanted.includes('all') || wanted.includes(slot) || wanted.includes(slotType(header, slot))),
  );
  if (slots.length === Object.keys(header.keyslots).length) {
    throw new EnrollError("Wipe operation would leave no valid slots around, can't allow that, sorry.");
  }
  for (const slot of slots) removeKeyslot(header, slot);
  return slots.length === 0
    ? enrolled === undefined
      ? 'No slots to remove selected.\n'
      : ''
    : slots.map((slot) => `Wiped slot ${slot}.\n`).join('');
}

/** `7+15:sha256=…`: PCRs bound to their present value, or to one that is given. */
function policyOf(text: string, pcrs: readonly string[]): PcrPolicy {
  const parts = text.split('+').map((part): [string, string] => {
    const match = /^(?<pcr>\d{1,2})(?::(?<bank>[a-z0-9]+))?(?:=(?:0x)?(?<value>[0-9a-f]{64}))?$/iu.exec(
      part,
    )?.groups;
    if (
      match?.['pcr'] === undefined ||
      Number(match['pcr']) > 23 ||
      (match['bank'] ?? 'sha256') !== 'sha256'
    ) {
      throw new EnrollError(`Failed to parse PCR specification: ${part}`);
    }
    const value = match['value']?.toLowerCase() ?? pcrs[Number(match['pcr'])];
    if (value === undefined) throw new EnrollError(`Could not read pcr values: No such device`);
    return [match['pcr'], value];
  });
  return Object.fromEntries(parts);
}

/** 256 bits in the alphabet that every keyboard layout has in the same places, in groups of eight. */
function modhexKey(): string {
  const digits = [...randomBytes(32)]
    .map((byte) => `${modhex[byte >> 4] ?? ''}${modhex[byte & 15] ?? ''}`)
    .join('');
  return (digits.match(/.{8}/gu) ?? []).join('-');
}

const modhex = 'cbdefghijklnrtuv';
