/** Passphrases that the emulated TPM hands out again when its PCRs have the values they are bound to. */
import { createHash, randomBytes } from 'node:crypto';
import { addKeyslot, addToken } from './luks.ts';
import type { LuksDevice, LuksToken, Tpm } from './section.ts';

/** PCR → value it must have, lower-case hex. */
export type PcrPolicy = Readonly<Record<string, string>>;

interface SealedBlob {
  readonly seed: string;
  readonly policy: PcrPolicy;
  readonly secret: string;
}

function isBlob(value: unknown): value is SealedBlob {
  return (
    typeof value === 'object' && value !== null && 'seed' in value && 'policy' in value && 'secret' in value
  );
}

function policyHash(policy: PcrPolicy): string {
  const text = Object.entries(policy)
    .map(([pcr, value]) => `${pcr}:${value}`)
    .join('+');
  return createHash('sha256').update(text).digest('hex');
}

/** Whether a header has exactly this policy enrolled. */
export function hasPolicy(header: LuksDevice, policy: PcrPolicy): boolean {
  return Object.values(header.tokens).some((token) => token['tpm2-policy-hash'] === policyHash(policy));
}

/** Enrols a TPM keyslot bound to PCR values; `undefined` when all keyslots are taken. */
export function enrollTpm(header: LuksDevice, tpm: Tpm, policy: PcrPolicy): string | undefined {
  const secret = randomBytes(32).toString('base64');
  const slot = addKeyslot(header, secret);
  if (slot === undefined) return undefined;
  const blob: SealedBlob = { seed: tpm.seed, policy, secret };
  addToken(header, {
    type: 'systemd-tpm2',
    keyslots: [slot],
    'tpm2-blob': Buffer.from(JSON.stringify(blob)).toString('base64'),
    'tpm2-pcrs': Object.keys(policy).map(Number),
    'tpm2-pcr-bank': 'sha256',
    'tpm2-primary-alg': 'ecc',
    'tpm2-policy-hash': policyHash(policy),
    tpm2_pubkey_pcrs: [11],
    tpm2_pubkey: Buffer.from('-----BEGIN PUBLIC KEY-----\n').toString('base64'),
    tpm2_srk: Buffer.from(tpm.seed).toString('base64'),
  });
  return slot;
}

/** The passphrase that the TPM unseals, if it is the same TPM and its PCRs allow it. */
export function unseal(header: LuksDevice, tpm: Tpm, pcrs: readonly string[]): string | undefined {
  if (tpm.kind === 'none') return undefined;
  for (const token of Object.values(header.tokens)) {
    const blob = sealedIn(token);
    if (blob === undefined || blob.seed !== tpm.seed) continue;
    if (Object.entries(blob.policy).every(([pcr, value]) => pcrs[Number(pcr)] === value)) return blob.secret;
  }
  return undefined;
}

function sealedIn(token: LuksToken): SealedBlob | undefined {
  const text = token['tpm2-blob'];
  if (token.type !== 'systemd-tpm2' || typeof text !== 'string') return undefined;
  const blob: unknown = JSON.parse(Buffer.from(text, 'base64').toString());
  return isBlob(blob) ? blob : undefined;
}
