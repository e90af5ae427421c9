/**
 * What firmware, boot loader and initial RAM disk leave behind for the system: EFI variables, the event log and PCRs
 * of the TPM, the open root and swap volumes, and the note whether the TPM opened them.
 *
 * Invariants: a boot is measured once, so that variables changed later differ from its log until the next boot;
 * a machine that never booted gets its volumes formatted, bound to PCR 7 as systemd-repart does it.
 */
import { X509Certificate } from 'node:crypto';
import type { Files } from '@incusos/host';
import type { EmulatedMachine } from '../machine/emulated-machine.ts';
import { tpmStateVariable, writeSecureBootVariables, writeVariable } from './efi.ts';
import { extend, measureBoot, zeroPcr } from './event-log.ts';
import { showImageStore } from './image-store.ts';
import { showKernelFile } from './kernel-file.ts';
import { addKeyslot, newHeader } from './luks.ts';
import { closeMapping, openMapping } from './mappings.ts';
import type { SecuritySection } from './section.ts';
import { enrollTpm, unseal } from './tpm-token.ts';

export const eventLogPath = '/sys/kernel/security/tpm0/binary_bios_measurements';
export const pcrDirectory = '/sys/class/tpm/tpm0/pcr-sha256';

/** The volumes of the operating system and the partitions they are on. */
const systemVolumes = { root: '/dev/disk/by-partlabel/root', swap: '/dev/disk/by-partlabel/swap' } as const;

const factoryPassphrase = 'written by the installer and wiped by the first boot';

export async function boot(machine: EmulatedMachine): Promise<void> {
  const { files } = machine;
  const { security, system } = machine.read();
  await showImageStore(files);
  // What someone sets in the firmware setup shows after the next boot.
  if (security.measured_boot === system.power.boot_id) return;
  await writeSecureBootVariables(files, security.secure_boot);
  const { log, pcrs } = measureBoot(security.secure_boot, 'IncusOS.efi');
  const worked = await machine.change((changed) => {
    changed.security.measured_boot = system.power.boot_id;
    return openVolumes(changed.security, pcrs);
  });
  await writeVariable(files, tpmStateVariable(worked));
  await showMappings(files, machine.read().security);
  await writePolicyKey(files, security);
  if (security.tpm.kind === 'hardware') {
    await showKernelFile(files, eventLogPath, log);
    // Early boot closes the door behind it: PCR 15 is extended once the volumes are open.
    const later = pcrs.map((value, pcr) =>
      pcr === 15 ? extend(value, Buffer.from('volumes are open')) : value,
    );
    await Promise.all(
      later.map((value, pcr) => showKernelFile(files, `${pcrDirectory}/${pcr}`, `${value.toUpperCase()}\n`)),
    );
  }
}

export async function forgetBoot(machine: EmulatedMachine): Promise<void> {
  const { files } = machine;
  for (const { name, minor } of machine.read().security.mappings) await closeMapping(files, name, minor);
  await machine.change(({ security }) => {
    security.mappings = [];
    security.measured_boot = '';
  });
  await files.remove('/sys/kernel/security/tpm0');
  await files.remove('/sys/class/tpm');
}

/** @returns whether the TPM opened all of them; what it can't open is opened as by someone who types a passphrase. */
function openVolumes(security: SecuritySection, pcrs: readonly string[]): boolean {
  let worked = true;
  for (const [name, device] of Object.entries(systemVolumes)) {
    let header = security.luks.find((known) => known.device === device);
    if (header === undefined) {
      header = newHeader(device);
      if (security.tpm.kind === 'hardware') enrollTpm(header, security.tpm, { '7': pcrs[7] ?? zeroPcr });
      else addKeyslot(header, factoryPassphrase);
      security.luks.push(header);
    }
    if (unseal(header, security.tpm, pcrs) === undefined) worked = false;
    security.mappings.push({ name, device, minor: security.mappings.length });
  }
  return worked;
}

async function showMappings(files: Files, { mappings }: SecuritySection): Promise<void> {
  for (const { name, minor } of mappings) await openMapping(files, name, minor);
}

/** The boot loader's stub leaves the key that signs PCR 11 policies in `/run`; it belongs to the signer of the kernel. */
async function writePolicyKey(files: Files, { secure_boot: { db } }: SecuritySection): Promise<void> {
  const [signer] = db;
  if (signer === undefined) return;
  const key = new X509Certificate(Buffer.from(signer, 'base64')).publicKey.export({
    type: 'spki',
    format: 'pem',
  });
  await showKernelFile(files, '/run/systemd/tpm2-pcr-public-key.pem', key);
}
