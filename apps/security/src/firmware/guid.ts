/** Bytes of a GUID. */
export const guidBytes = 16;

/** Reads a GUID as UEFI stores it: the first three fields little-endian, the rest as they are. */
export function readGuid(bytes: Buffer, offset: number): string {
  const field = (start: number, length: number): Buffer =>
    bytes.subarray(offset + start, offset + start + length);
  const little = (start: number, length: number): string =>
    Buffer.from(field(start, length)).reverse().toString('hex');
  return [
    little(0, 4),
    little(4, 2),
    little(6, 2),
    field(8, 2).toString('hex'),
    field(10, 6).toString('hex'),
  ].join('-');
}
