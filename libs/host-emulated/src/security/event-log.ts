/** What a TPM measures during a boot, and the log of it in the crypto-agile binary form of the TCG (PFP 1.06, 10). */
import { createHash } from 'node:crypto';
import {
  globalVariable,
  guidBytes,
  imageSecurityDatabase,
  secureBootVariables,
  signatureData,
} from './efi.ts';
import type { SecureBoot } from './section.ts';

const EV_NO_ACTION = 0x03;
const EV_SEPARATOR = 0x04;
const EV_S_CRTM_VERSION = 0x08;
const EV_IPL = 0x0d;
const EV_EFI_VARIABLE_DRIVER_CONFIG = 0x80000001;
const EV_EFI_BOOT_SERVICES_APPLICATION = 0x80000003;
const EV_EFI_ACTION = 0x80000007;
const EV_EFI_VARIABLE_AUTHORITY = 0x800000e0;

const sha1 = 0x0004;
const sha256 = 0x000b;

interface Measurement {
  readonly pcr: number;
  readonly type: number;
  /** What is hashed. */
  readonly measured: Buffer;
  /** What the log says of it. */
  readonly event: Buffer;
}

/** One boot: the log of the firmware and boot loader, and every PCR of the SHA-256 bank afterwards. */
export interface MeasuredBoot {
  readonly log: Buffer;
  /** Lower-case hex, PCR 0 to 23. */
  readonly pcrs: readonly string[];
}

function same(pcr: number, type: number, content: Buffer): Measurement {
  return { pcr, type, measured: content, event: content };
}

function variableData(name: string, guid: string, data: Buffer): Buffer {
  const header = Buffer.alloc(32);
  guidBytes(guid).copy(header);
  header.writeBigUInt64LE(BigInt(name.length), 16);
  header.writeBigUInt64LE(BigInt(data.length), 24);
  return Buffer.concat([header, Buffer.from(name, 'utf16le'), data]);
}

/** `EFI_IMAGE_LOAD_EVENT` of a program on the boot partition. */
function imageLoad(path: string): Buffer {
  const name = Buffer.from(`${path}\0`, 'utf16le');
  const node = Buffer.from([4, 4, 0, 0]);
  node.writeUInt16LE(4 + name.length, 2);
  const devicePath = Buffer.concat([node, name, Buffer.from([0x7f, 0xff, 4, 0])]);
  const header = Buffer.alloc(32);
  header.writeBigUInt64LE(0x7e40_0000n, 0);
  header.writeBigUInt64LE(0x2_0000n, 8);
  header.writeBigUInt64LE(BigInt(devicePath.length), 24);
  return Buffer.concat([header, devicePath]);
}

function measurements(keys: SecureBoot, kernel: string): Measurement[] {
  const separator = Buffer.alloc(4);
  const program = (path: string): Measurement => ({
    pcr: 4,
    type: EV_EFI_BOOT_SERVICES_APPLICATION,
    measured: Buffer.from(`program ${path}`),
    event: imageLoad(path),
  });
  const [signer] = keys.db;
  const authority = !keys.enabled || signer === undefined ? [] : [signer];
  return [
    same(0, EV_S_CRTM_VERSION, Buffer.from('2026.02\0', 'utf16le')),
    ...secureBootVariables(keys).map(({ name, guid, data }) =>
      same(7, EV_EFI_VARIABLE_DRIVER_CONFIG, variableData(name, guid, data)),
    ),
    same(7, EV_SEPARATOR, separator),
    same(1, EV_EFI_VARIABLE_DRIVER_CONFIG, variableData('BootOrder', globalVariable, Buffer.from([0, 0]))),
    same(4, EV_EFI_ACTION, Buffer.from('Calling EFI Application from Boot Option')),
    ...[0, 1, 2, 3, 4, 5, 6].map((pcr) => same(pcr, EV_SEPARATOR, separator)),
    ...authority.map((certificate) =>
      same(
        7,
        EV_EFI_VARIABLE_AUTHORITY,
        variableData('db', imageSecurityDatabase, signatureData(certificate)),
      ),
    ),
    program('\\EFI\\systemd\\systemd-bootx64.efi'),
    program(`\\EFI\\Linux\\${kernel}`),
    ...['.linux', '.osrel', '.cmdline', '.initrd', '.ucode', '.uname', '.sbat', '.pcrpkey'].flatMap(
      (section) => [
        {
          pcr: 11,
          type: EV_IPL,
          measured: Buffer.from(`${section}\0`),
          event: Buffer.from(`${section}\0`, 'utf16le'),
        },
        {
          pcr: 11,
          type: EV_IPL,
          measured: Buffer.from(`${kernel} ${section}`),
          event: Buffer.from(`${section}\0`, 'utf16le'),
        },
      ],
    ),
  ];
}

function specificationEvent(): Buffer {
  const body = Buffer.alloc(37);
  body.write('Spec ID Event03\0', 0, 'latin1');
  body.writeUInt8(2, 21); // specification version 2.0, 64-bit integers
  body.writeUInt8(2, 23);
  body.writeUInt32LE(2, 24);
  body.writeUInt16LE(sha1, 28);
  body.writeUInt16LE(20, 30);
  body.writeUInt16LE(sha256, 32);
  body.writeUInt16LE(32, 34);
  const header = Buffer.alloc(32);
  header.writeUInt32LE(EV_NO_ACTION, 4);
  header.writeUInt32LE(body.length, 28);
  return Buffer.concat([header, body]);
}

function encode({ pcr, type, measured, event }: Measurement): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt32LE(pcr, 0);
  head.writeUInt32LE(type, 4);
  head.writeUInt32LE(2, 8);
  const digest = (algorithm: number, name: string): Buffer => {
    const id = Buffer.alloc(2);
    id.writeUInt16LE(algorithm);
    return Buffer.concat([id, createHash(name).update(measured).digest()]);
  };
  const size = Buffer.alloc(4);
  size.writeUInt32LE(event.length);
  return Buffer.concat([head, digest(sha1, 'sha1'), digest(sha256, 'sha256'), size, event]);
}

/** A PCR after one more measurement. */
export function extend(value: string, measured: Buffer): string {
  const digest = createHash('sha256').update(measured).digest();
  return createHash('sha256').update(Buffer.from(value, 'hex')).update(digest).digest('hex');
}

export const zeroPcr = '0'.repeat(64);

/**
 * Measures a boot.
 * @param kernel file name of the unified kernel image.
 */
export function measureBoot(keys: SecureBoot, kernel: string): MeasuredBoot {
  // PCRs 17 to 22 belong to a dynamic root of trust and are all ones until there is one (TCG PC Client PTP).
  const pcrs = Array.from({ length: 24 }, (_, pcr) => (pcr >= 17 && pcr <= 22 ? 'f'.repeat(64) : zeroPcr));
  const events = measurements(keys, kernel);
  for (const { pcr, measured } of events) pcrs[pcr] = extend(pcrs[pcr] ?? zeroPcr, measured);
  return { log: Buffer.concat([specificationEvent(), ...events.map(encode)]), pcrs };
}
