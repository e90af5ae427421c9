/** What PCRs of the SHA-256 bank hold after the events of a log, and what PCR 7 will hold after the next boot. */
import { createHash } from 'node:crypto';
import { guidBytes } from '../firmware/guid.ts';
import { eventTypes, type TpmEvent } from './event-log.ts';

const pcrBytes = 32;

function extend(value: Buffer, digest: Buffer): Buffer {
  return createHash('sha256').update(value).update(digest).digest();
}

/** Events that were extended into a PCR: those of type EV_NO_ACTION only inform. */
function extensions(events: readonly TpmEvent[], pcr: number): TpmEvent[] {
  return events.filter((event) => event.pcr === pcr && event.type !== eventTypes.noAction);
}

/**
 * Replays a log for one PCR.
 * @returns lower-case hex; `undefined` when an event has no SHA-256 digest.
 */
export function replay(events: readonly TpmEvent[], pcr: number): string | undefined {
  return replayWith(events, pcr, ({ sha256 }) => sha256);
}

/**
 * The value of PCR 7 that the next boot will measure: that of the log, with the present content of every variable
 * whose content differs from the measured one.
 * @param variables present data by name; a name that isn't there keeps what was measured.
 */
export function predictPcr7(
  events: readonly TpmEvent[],
  variables: ReadonlyMap<string, Buffer>,
): string | undefined {
  return replayWith(events, 7, (event) => {
    if (event.type !== eventTypes.efiVariableDriverConfig) return event.sha256;
    const measured = parseVariableData(event.data);
    const present = measured === undefined ? undefined : variables.get(measured.name);
    if (measured === undefined || present === undefined || present.equals(measured.data)) return event.sha256;
    return createHash('sha256')
      .update(withData(event.data, measured.dataOffset, present))
      .digest();
  });
}

function replayWith(
  events: readonly TpmEvent[],
  pcr: number,
  digestOf: (event: TpmEvent) => Buffer | undefined,
): string | undefined {
  let value: Buffer = Buffer.alloc(pcrBytes);
  for (const event of extensions(events, pcr)) {
    const digest = digestOf(event);
    if (digest === undefined) return undefined;
    value = extend(value, digest);
  }
  return value.toString('hex');
}

/** A variable as an event carries it (`UEFI_VARIABLE_DATA`). */
export interface VariableData {
  readonly name: string;
  readonly data: Buffer;
  readonly dataOffset: number;
}

const variableHeaderBytes = guidBytes + 16;

/** `undefined` when the lengths in it don't fit. */
export function parseVariableData(event: Buffer): VariableData | undefined {
  if (event.length < variableHeaderBytes) return undefined;
  const nameBytes = event.readBigUInt64LE(guidBytes) * 2n;
  const dataBytes = event.readBigUInt64LE(guidBytes + 8);
  if (BigInt(variableHeaderBytes) + nameBytes + dataBytes !== BigInt(event.length)) return undefined;
  const dataOffset = variableHeaderBytes + Number(nameBytes);
  return {
    name: event.toString('utf16le', variableHeaderBytes, dataOffset),
    data: event.subarray(dataOffset),
    dataOffset,
  };
}

function withData(event: Buffer, dataOffset: number, data: Buffer): Buffer {
  const head = Buffer.from(event.subarray(0, dataOffset));
  head.writeBigUInt64LE(BigInt(data.length), guidBytes + 8);
  return Buffer.concat([head, data]);
}
