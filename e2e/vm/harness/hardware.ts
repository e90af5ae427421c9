/** What a machine under test has beside what every machine has. */
import { copyFileSync, writeFileSync } from 'node:fs';
import { makeDriveFile } from '../control/drive-commands.ts';
import { defaultDescription, type Description, withDrive, withNic } from '../hardware/description.ts';
import { driveOf } from '../hardware/drive.ts';
import { nicOf } from '../hardware/nic.ts';
import type { Machine } from '../machine.ts';

export interface Hardware {
  /** Blank drives as `npm run vm -- --drive` takes them: `[BUS:]ID:SIZE`. */
  readonly drives?: readonly string[];
  /** Network cards as `npm run vm -- --nic` takes them: `NAME[=NETWORK]`. */
  readonly nics?: readonly string[];
  /** Whether it has a TPM; it does unless told otherwise. */
  readonly tpm?: boolean;
  /** Whether the firmware can do Secure Boot; it can unless told otherwise. */
  readonly secureBoot?: boolean;
  /** A file with the firmware's variables, instead of the machine's. */
  readonly variables?: string;
  /** Texts in the SMBIOS tables, by which a hypervisor talks to the system (type 11). */
  readonly firmwareStrings?: readonly string[];
  /** Seed files beside the one that has the machine trust the client, by name. */
  readonly seeds?: Readonly<Record<string, string>>;
  /** The content of systemd credentials, by name. */
  readonly credentials?: Readonly<Record<string, string>>;
}

/** @param credentials files of the machine's directory, by name, that it has in any case. */
export function descriptionOf(
  { drives = [], nics = [], tpm = true, secureBoot = true, credentials: own = {} }: Hardware,
  credentials: Readonly<Record<string, string>>,
): Description {
  const files = Object.fromEntries(Object.keys(own).map((name) => [name, fileOf(name)]));
  const bare = { ...defaultDescription, tpm, secure_boot: secureBoot };
  const described = { ...bare, credentials: { ...credentials, ...files } };
  const withDrives = drives.reduce<Description>(
    (before, drive) => withDrive(before, driveOf(drive)).description,
    described,
  );
  return nics.reduce<Description>((before, nic) => withNic(before, nicOf(nic)).description, withDrives);
}

/** QEMU's arguments for what isn't part of the description. */
export function tableArgv({ firmwareStrings = [] }: Hardware): string[] {
  return firmwareStrings.flatMap((text) => ['-smbios', `type=11,value=${text.replaceAll(',', ',,')}`]);
}

/** Gives a machine that is off its hardware. */
export async function equip(
  machine: Machine,
  hardware: Hardware,
  credentials: Readonly<Record<string, string>>,
): Promise<void> {
  const description = descriptionOf(hardware, credentials);
  machine.describe(description);
  for (const drive of description.drives) await makeDriveFile(machine, drive);
  for (const [name, content] of Object.entries(hardware.credentials ?? {}))
    writeFileSync(machine.path(fileOf(name)), content);
  if (hardware.variables !== undefined) copyFileSync(hardware.variables, machine.path('vars.fd'));
}

const fileOf = (credential: string): string => `credential-${credential}`;
