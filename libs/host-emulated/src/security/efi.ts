/** Binary forms of the UEFI specification: GUIDs, signature lists and variables as efivarfs shows them. */
import type { Files } from '@incusos/host';
import { showKernelFile } from './kernel-file.ts';
import type { SecureBoot } from './section.ts';

export const efivars = '/sys/firmware/efi/efivars';
export const globalVariable = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
export const imageSecurityDatabase = 'd719b2cb-3d3a-4596-a3bc-dad00e67656f';
export const incusosVariable = '12f075e0-2d07-493d-811a-00920a72c04c';
const certX509 = 'a5c059a1-94e4-4aa7-87b5-ab155c2bf072';
/** Who put a certificate into a list; any GUID does. */
const signatureOwner = '77fa9abd-0359-4d32-bd60-28f4e78f784b';

/** Attributes of a variable (UEFI 2.10, 8.2.1). */
const bootAndRuntime = 0x06;
const nonVolatile = 0x07;
const timeAuthenticated = 0x27;

/** A GUID as UEFI stores it: the first three fields little-endian. */
export function guidBytes(guid: string): Buffer {
  const raw = Buffer.from(guid.replaceAll('-', ''), 'hex');
  raw.subarray(0, 4).reverse();
  raw.subarray(4, 6).reverse();
  raw.subarray(6, 8).reverse();
  return raw;
}

/** `EFI_SIGNATURE_DATA` of one certificate: its owner and its DER. */
export function signatureData(certificate: string): Buffer {
  return Buffer.concat([guidBytes(signatureOwner), Buffer.from(certificate, 'base64')]);
}

/** `EFI_SIGNATURE_LIST`s, one a certificate since each list holds entries of one size. */
function signatureLists(certificates: readonly string[]): Buffer {
  return Buffer.concat(
    certificates.map((certificate) => {
      const data = signatureData(certificate);
      const header = Buffer.alloc(28);
      guidBytes(certX509).copy(header);
      header.writeUInt32LE(header.length + data.length, 16);
      header.writeUInt32LE(0, 20);
      header.writeUInt32LE(data.length, 24);
      return Buffer.concat([header, data]);
    }),
  );
}

/** A firmware variable. */
export interface Variable {
  readonly name: string;
  readonly guid: string;
  readonly attributes: number;
  readonly data: Buffer;
}

/** The variables of Secure Boot, in the order in which firmware measures them. */
export function secureBootVariables(keys: SecureBoot): Variable[] {
  return [
    {
      name: 'SecureBoot',
      guid: globalVariable,
      attributes: bootAndRuntime,
      data: Buffer.from([keys.enabled ? 1 : 0]),
    },
    { name: 'PK', guid: globalVariable, attributes: timeAuthenticated, data: signatureLists(keys.pk) },
    { name: 'KEK', guid: globalVariable, attributes: timeAuthenticated, data: signatureLists(keys.kek) },
    { name: 'db', guid: imageSecurityDatabase, attributes: timeAuthenticated, data: signatureLists(keys.db) },
    {
      name: 'dbx',
      guid: imageSecurityDatabase,
      attributes: timeAuthenticated,
      data: signatureLists(keys.dbx),
    },
  ];
}

/** Writes the variables of Secure Boot as efivarfs shows them; an empty list is a variable that isn't there. */
export async function writeSecureBootVariables(files: Files, keys: SecureBoot): Promise<void> {
  const modes = [
    {
      name: 'SetupMode',
      guid: globalVariable,
      attributes: bootAndRuntime,
      data: Buffer.from([keys.setup_mode ? 1 : 0]),
    },
    { name: 'AuditMode', guid: globalVariable, attributes: bootAndRuntime, data: Buffer.from([0]) },
    { name: 'DeployedMode', guid: globalVariable, attributes: bootAndRuntime, data: Buffer.from([0]) },
  ];
  for (const variable of [...secureBootVariables(keys), ...modes]) await writeVariable(files, variable);
}

/** The variable by which early boot says whether the TPM opened the volumes. */
export function tpmStateVariable(worked: boolean): Variable {
  return {
    name: 'IncusOSTPMState',
    guid: incusosVariable,
    attributes: nonVolatile,
    data: Buffer.from([0, 0, 0, worked ? 0 : 1]),
  };
}

/** Leaves a variable alone that has this content already, so that nobody sees a change where there is none. */
export async function writeVariable(files: Files, { name, guid, attributes, data }: Variable): Promise<void> {
  const path = `${efivars}/${name}-${guid}`;
  if (data.length === 0) return files.remove(path);
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32LE(attributes);
  const content = Buffer.concat([prefix, data]);
  if ((await files.exists(path)) && (await files.readBytes(path)).equals(content)) return;
  await showKernelFile(files, path, content);
}
