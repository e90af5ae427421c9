/**
 * The TPM event log that firmware hands to the kernel, in the binary forms of the TCG (PC Client Platform Firmware
 * Profile 1.06, 10): crypto-agile, or the older one that knows SHA-1 only.
 *
 * Firmware writes logs with unknown algorithms, padding, wrong lengths and missing ends. Whatever comes before such a
 * place is used; `problem` says what was met. Nothing here throws, and nothing is read past the end.
 */

/** Event types that are looked at. */
export const eventTypes = {
  noAction: 0x00000003,
  efiVariableDriverConfig: 0x80000001,
} as const;

/** TCG algorithm identifiers and their digest sizes in bytes. */
const digestSizes: ReadonlyMap<number, number> = new Map([
  [0x0004, 20], // SHA-1
  [0x000b, 32], // SHA-256
  [0x000c, 48], // SHA-384
  [0x000d, 64], // SHA-512
  [0x0012, 32], // SM3-256
  [0x0027, 32], // SHA3-256
  [0x0028, 48], // SHA3-384
  [0x0029, 64], // SHA3-512
]);

const sha1 = 0x0004;
const sha256 = 0x000b;

export interface TpmEvent {
  readonly pcr: number;
  readonly type: number;
  /** What the SHA-256 bank was extended with; absent when the log has no such digest. */
  readonly sha256: Buffer | undefined;
  readonly data: Buffer;
}

export interface EventLog {
  readonly events: readonly TpmEvent[];
  /** Where and why reading stopped before the end of the log. */
  readonly problem: string | undefined;
}

const signature = Buffer.from('Spec ID Event03\0', 'latin1');
const oldHeaderBytes = 32;
/** Boots measure some hundred events; this bounds what a broken log can cost. */
const maxEvents = 65_536;
const maxPcr = 23;

/** Reads a log. */
export function parseEventLog(log: Buffer): EventLog {
  if (log.length === 0) return { events: [], problem: 'the log is empty' };
  const first = readOldEvent(log, 0);
  if (first === undefined) return { events: [], problem: 'the log is cut short at byte 0' };
  const agile =
    first.type === eventTypes.noAction && first.data.subarray(0, signature.length).equals(signature);
  if (!agile) return readAll(log, 0, readOldEvent);
  const sizes = declaredSizes(first.data);
  if (sizes === undefined) return { events: [], problem: 'the header of the log is cut short' };
  return readAll(log, first.next, (bytes, offset) => readAgileEvent(bytes, offset, sizes));
}

interface Step extends TpmEvent {
  readonly next: number;
}

function readAll(
  log: Buffer,
  start: number,
  read: (log: Buffer, offset: number) => Step | string | undefined,
): EventLog {
  const events: TpmEvent[] = [];
  let offset = start;
  while (offset < log.length) {
    if (isPadding(log, offset)) break;
    const step = read(log, offset);
    if (typeof step !== 'object')
      return { events, problem: step ?? `the log is cut short at byte ${offset}` };
    if (events.length >= maxEvents) return { events, problem: `the log has more than ${maxEvents} events` };
    // 0xFFFFFFFF stands for no PCR at all; other numbers above 23 don't exist.
    if (step.pcr <= maxPcr)
      events.push({ pcr: step.pcr, type: step.type, sha256: step.sha256, data: step.data });
    else if (step.pcr !== 0xffffffff)
      return { events, problem: `an event at byte ${offset} names PCR ${step.pcr}, which doesn't exist` };
    offset = step.next;
  }
  return { events, problem: undefined };
}

/** Firmware that hands over its whole buffer fills the rest with zeros or ones. */
function isPadding(log: Buffer, offset: number): boolean {
  const rest = log.subarray(offset);
  const [filler] = rest;
  return (filler === 0 || filler === 0xff) && rest.every((byte) => byte === filler);
}

/** `TCG_PCClientPCREvent`: SHA-1 only. */
function readOldEvent(log: Buffer, offset: number): Step | undefined {
  if (log.length - offset < oldHeaderBytes) return undefined;
  const size = log.readUInt32LE(offset + 28);
  const start = offset + oldHeaderBytes;
  if (size > log.length - start) return undefined;
  return {
    pcr: log.readUInt32LE(offset),
    type: log.readUInt32LE(offset + 4),
    sha256: undefined,
    data: log.subarray(start, start + size),
    next: start + size,
  };
}

/** `TCG_PCR_EVENT2`: a digest for each bank. */
function readAgileEvent(
  log: Buffer,
  offset: number,
  sizes: ReadonlyMap<number, number>,
): Step | string | undefined {
  if (log.length - offset < 12) return undefined;
  const count = log.readUInt32LE(offset + 8);
  let place = offset + 12;
  let digest: Buffer | undefined;
  for (let index = 0; index < count; index += 1) {
    if (log.length - place < 2) return undefined;
    const algorithm = log.readUInt16LE(place);
    const size = sizes.get(algorithm) ?? digestSizes.get(algorithm);
    if (size === undefined)
      return `an event at byte ${offset} has a digest of the unknown algorithm 0x${algorithm.toString(16)}`;
    place += 2;
    if (log.length - place < size) return undefined;
    if (algorithm === sha256) digest = log.subarray(place, place + size);
    place += size;
  }
  if (log.length - place < 4) return undefined;
  const size = log.readUInt32LE(place);
  place += 4;
  if (size > log.length - place) return undefined;
  return {
    pcr: log.readUInt32LE(offset),
    type: log.readUInt32LE(offset + 4),
    sha256: digest,
    data: log.subarray(place, place + size),
    next: place + size,
  };
}

/** The digest sizes that the log's header declares (`TCG_EfiSpecIDEvent`). */
function declaredSizes(header: Buffer): Map<number, number> | undefined {
  const fixedBytes = 28;
  if (header.length < fixedBytes) return undefined;
  const count = header.readUInt32LE(24);
  if (count * 4 > header.length - fixedBytes) return undefined;
  const sizes = new Map<number, number>();
  for (let index = 0; index < count; index += 1) {
    const at = fixedBytes + index * 4;
    sizes.set(header.readUInt16LE(at), header.readUInt16LE(at + 2));
  }
  // A header that lies about these two would turn every later event into noise.
  if ((sizes.get(sha1) ?? 20) !== 20 || (sizes.get(sha256) ?? 32) !== 32) return undefined;
  return sizes;
}
