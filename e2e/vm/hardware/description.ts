/**
 * The hardware of a virtual machine as it is kept in its directory, so that it is the same at the next start.
 *
 * Invariants: the file is replaced as a whole; a PCIe port holds one device.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../../image/tools/sentence.ts';
import { type Drive, type DriveRequest, linkOf, listed, namedDrive } from './drive.ts';
import { macOf, type Nic, type NicRequest } from './nic.ts';

export interface Description {
  readonly version: number;
  /** MiB. */
  readonly memory: number;
  /** The port of this computer behind which the API is. */
  readonly port: number;
  readonly tpm: boolean;
  readonly secure_boot: boolean;
  /** Whether the TPM is to be blank when the machine is switched on next. */
  readonly clear_tpm?: boolean;
  /** Files of the machine's directory that it gets as systemd credentials, by name. */
  readonly credentials: Readonly<Record<string, string>>;
  readonly drives: readonly Drive[];
  readonly nics: readonly Nic[];
}

/** The first card, behind which the API is. */
export const firstNic = 'enp5s0';
export const portCount = 16;
/** The SCSI controller's. */
export const scsiPort = 1;

const file = 'machine.json';

export const defaultDescription: Description = {
  version: 1,
  memory: 4096,
  port: 9443,
  tpm: true,
  secure_boot: true,
  credentials: {},
  drives: [],
  nics: [{ name: firstNic, mac: macOf(firstNic), network: { kind: 'user' }, link: 'up', port: 5 }],
};

/** What is kept in a directory; the default when nothing is. @throws UserError when it can't be understood. */
export function readDescription(directory: string): Description {
  const path = join(directory, file);
  if (!existsSync(path)) return defaultDescription;
  try {
    const kept = JSON.parse(readFileSync(path, 'utf8')) as Partial<Description>;
    if (kept.version !== defaultDescription.version)
      throw new Error(`its version is ${String(kept.version)}, not ${defaultDescription.version}`);
    return { ...defaultDescription, ...kept };
  } catch (error) {
    throw new UserError(
      `${path} can't be understood: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

export function writeDescription(directory: string, description: Description): void {
  const path = join(directory, file);
  writeFileSync(`${path}.partial`, `${JSON.stringify(description, undefined, 2)}\n`);
  renameSync(`${path}.partial`, path);
}

/** The drive of this serial number or name below `/dev/disk/by-id`. */
export function findDrive({ drives }: Description, name: string): Drive | undefined {
  const { id } = namedDrive(name);
  return drives.find((drive) => drive.id === id);
}

/** @throws UserError when no such drive is plugged in. */
export function attachedDrive(description: Description, name: string): Drive {
  const drive = findDrive(description, name);
  if (drive?.attached === true) return drive;
  const others = description.drives.filter(({ attached }) => attached).map(({ id }) => id);
  throw new UserError(`no drive '${name}' is plugged in; there are: ${others.join(', ') || 'none'}`);
}

/** @throws UserError when the machine has no such card. */
export function presentNic({ nics }: Description, name: string): Nic {
  const nic = nics.find((one) => one.name === name);
  if (nic !== undefined) return nic;
  throw new UserError(
    `the machine has no NIC ${name}; it has ${nics.map((one) => one.name).join(', ') || 'none'}`,
  );
}

/** With a drive plugged in that is new, or was pulled out. @throws UserError when it is there, or there is no place. */
export function withDrive(
  description: Description,
  request: DriveRequest,
): { readonly description: Description; readonly drive: Drive } {
  const known = findDrive(description, request.id);
  if (known?.attached === true) throw new UserError(`drive '${request.id}' is plugged in already`);
  if (known !== undefined && known.bus !== request.bus)
    throw new UserError(`drive '${request.id}' is one for ${known.bus}, not ${request.bus}`);
  if (known !== undefined && known.size_bytes !== request.size_bytes)
    throw new UserError(`drive '${request.id}' has ${known.size_bytes} bytes, not ${request.size_bytes}`);
  const sata = description.drives.filter(({ bus, attached }) => bus === 'sata' && attached);
  if (request.bus === 'sata' && sata.length === sataPlaces)
    throw new UserError(`the machine has places for ${sataPlaces} drives on SATA`);
  const ownPort = request.bus === 'nvme' || request.bus === 'virtio';
  const drive = {
    ...(known ?? { ...request, failed: false }),
    attached: true,
    ...(ownPort ? { port: freePort(description, portsFromAbove) } : {}),
  };
  return { description: withDriveAs(description, drive), drive };
}

/** With a changed drive in place of the one of the same serial number. */
export function withDriveAs(description: Description, drive: Drive): Description {
  const at = description.drives.findIndex(({ id }) => id === drive.id);
  const drives = at === -1 ? [...description.drives, drive] : description.drives.with(at, drive);
  return { ...description, drives };
}

/** With one more card. @throws UserError when there is one of the name, or no place. */
export function withNic(
  description: Description,
  { name, network }: NicRequest,
): { readonly description: Description; readonly nic: Nic } {
  if (description.nics.some((one) => one.name === name))
    throw new UserError(`the machine has a NIC ${name} already`);
  // The kernel's name for a card tells its bus (systemd.net-naming-scheme(7)).
  const wanted = Number(/^enp(?<bus>\d+)s0$/u.exec(name)?.groups?.['bus'] ?? Number.NaN);
  const port = usedPorts(description).has(wanted) || !ports.includes(wanted) ? undefined : wanted;
  const nic: Nic = {
    ...{ name, mac: macOf(name), network, link: 'up' },
    port: port ?? freePort(description, ports),
  };
  return { description: { ...description, nics: [...description.nics, nic] }, nic };
}

const sataPlaces = 6;
/** Cards get the lower ones, which are named in `enp6s0`; drives come from above. */
const ports = Array.from({ length: portCount }, (_, index) => index + 1);
const portsFromAbove = ports.toReversed();

function usedPorts({ drives, nics }: Description): ReadonlySet<number> {
  const ofDrives = drives.flatMap(({ attached, port }) => (attached && port !== undefined ? [port] : []));
  return new Set([scsiPort, ...ofDrives, ...nics.map(({ port }) => port)]);
}

function freePort(description: Description, order: readonly number[]): number {
  const used = usedPorts(description);
  const port = order.find((one) => !used.has(one));
  if (port !== undefined) return port;
  const held = [
    ...description.drives.filter((drive) => drive.attached && drive.port !== undefined).map(linkOf),
    ...description.nics.map(({ name }) => name),
  ];
  throw new UserError(`all ${portCount} PCIe ports are taken, by ${listed(held)} and the SCSI controller`);
}
