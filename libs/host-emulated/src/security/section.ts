/** The security section of a machine description: firmware keys, TPM and encrypted block devices. */
import { keyExchangeKey, platformKey, revokedKey, signingKey } from './certificates.ts';

export interface SecureBoot {
  enabled: boolean;
  /** No platform key is enrolled, so keys can be enrolled without a signature. */
  setup_mode: boolean;
  /** Certificates, DER in base64. */
  pk: string[];
  kek: string[];
  db: string[];
  dbx: string[];
}

export interface Tpm {
  /** `none`: the machine has none. */
  kind: 'hardware' | 'none';
  /** What only this TPM knows; another value stands for a cleared or exchanged TPM, which opens nothing sealed before. */
  seed: string;
}

/** A keyslot of a LUKS2 header. */
export interface Keyslot {
  /** Base64. */
  salt: string;
  /** SHA-256 of salt and passphrase, base64. */
  digest: string;
}

/** A token of a LUKS2 header as `cryptsetup luksDump --dump-json-metadata` shows it. */
export interface LuksToken {
  type: string;
  keyslots: string[];
  [key: string]: unknown;
}

/** A block device with a LUKS2 header. */
export interface LuksDevice {
  /** The path it was formatted under. */
  device: string;
  uuid: string;
  keyslots: Record<string, Keyslot>;
  tokens: Record<string, LuksToken>;
}

/** An open LUKS device, `/dev/mapper/<name>`. */
export interface Mapping {
  name: string;
  device: string;
  /** Number of `/dev/dm-<minor>`. */
  minor: number;
}

export interface SecuritySection {
  secure_boot: SecureBoot;
  tpm: Tpm;
  luks: LuksDevice[];
  mappings: Mapping[];
  /** Boot id of the boot that was measured. */
  measured_boot: string;
}

export function defaultSecurity(): SecuritySection {
  return {
    secure_boot: {
      enabled: true,
      setup_mode: false,
      pk: [platformKey],
      kek: [keyExchangeKey],
      db: [signingKey],
      dbx: [revokedKey],
    },
    tpm: { kind: 'hardware', seed: 'factory' },
    luks: [],
    mappings: [],
    measured_boot: '',
  };
}
