/** Firmware variables as efivarfs shows them: a file each, four bytes of attributes and then the data. */
import type { Files } from '@incusos/host';

export const efiVariableDirectory = '/sys/firmware/efi/efivars';

const globalVariable = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
const imageSecurityDatabase = 'd719b2cb-3d3a-4596-a3bc-dad00e67656f';
const incusosVariable = '12f075e0-2d07-493d-811a-00920a72c04c';

/** The variables that are read here, and the vendor GUID each has (UEFI 2.10, 3.3 and 32.4). */
const vendorOf = {
  SecureBoot: globalVariable,
  PK: globalVariable,
  KEK: globalVariable,
  db: imageSecurityDatabase,
  dbx: imageSecurityDatabase,
  IncusOSTPMState: incusosVariable,
} as const;

export type VariableName = keyof typeof vendorOf;

const attributeBytes = 4;

/** A variable's data; empty when firmware doesn't have it, or when its file is too short to be one. */
export async function readVariable(files: Files, name: VariableName): Promise<Buffer> {
  const path = `${efiVariableDirectory}/${name}-${vendorOf[name]}`;
  try {
    const content = await files.readBytes(path);
    return content.subarray(Math.min(attributeBytes, content.length));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}
