import { describe, expect, it } from 'vitest';
import { BootStages } from './boot-stages.ts';

const firmware =
  'BdsDxe: loading Boot0001 "UEFI QEMU QEMU HARDDISK " from PciRoot(0x0)/Pci(0x2,0x0)/Scsi(0x0,0x0)';
const kernel = '[    0.040000] tsc: Unable to calibrate against PIT';

function told(...lines: readonly string[]): readonly string[] {
  const stages = new BootStages();
  return lines.flatMap((line) => stages.take(line)?.text ?? []);
}

describe('the stages of a boot', () => {
  it('are told once each, as the console shows them', () => {
    expect(
      told(
        firmware,
        firmware.replace('loading', 'starting'),
        'Enrolling secure boot keys from directory: \\loader\\keys\\auto',
        'Custom Secure Boot keys successfully enrolled, rebooting the system now!',
        firmware,
        kernel,
        kernel,
        'Booting initrd of Debian GNU/Linux 13 (trixie).',
        '[   18.039860] systemd[1]: Finished systemd-veritysetup@usr.service - Integrity Protection Setup for usr.',
        '[   18.885293] systemd[1]: Reached target basic.target - Basic System.',
        '[   20.272359] systemd-repart[348]: Applying changes to /dev/sda.',
        '[   34.536574] systemd[1]: Finished systemd-cryptsetup@root.service - Cryptography Setup for root.',
        '[   37.543149] systemd[1]: Switching root.',
        'Welcome to IncusOS!',
        '[  101.106677] systemd[1]: Starting incus-os-gateway.service - IncusOS gateway...',
      ),
    ).toEqual([
      'the firmware starts the boot loader',
      'the boot loader enrols the Secure Boot keys, and restarts the machine',
      'the kernel runs',
      'the initrd looks for the system',
      '/usr is there, checked by dm-verity',
      'first boot: swap, root and local-data are made and encrypted',
      'the TPM opened the root partition',
      'the system starts',
      'the services start',
    ]);
  });

  it('name each service that is ready, once', () => {
    expect(
      told(
        '[  OK  ] Started incus-os-gateway.service - IncusOS gateway.',
        '[  163.997062] systemd[1]: Started incus-os-gateway.service - IncusOS gateway.',
        '[  OK  ] Started incus-os-storage.service - IncusOS storage service.',
      ),
    ).toEqual(['gateway', 'storage']);
  });

  it('name what failed', () => {
    expect(
      told(
        '[FAILED] Failed to start tpm-state.service - Note whether the TPM opens the system.',
        'BdsDxe: No bootable option or device was found.',
        kernel,
        "[    0.024000] Kernel panic - not syncing: IO-APIC + timer doesn't work!",
        'Error loading kernel image: Access denied',
        'You are in emergency mode. After logging in, type "journalctl -xb" to view',
      ),
    ).toEqual([
      'tpm-state.service failed',
      'the firmware finds nothing to boot',
      'the kernel runs',
      'the kernel panicked',
      'Secure Boot refuses what is not signed by the enrolled keys',
      'the boot ended in emergency mode',
    ]);
  });

  it('end when the firmware is seen after a kernel', () => {
    const stages = new BootStages();
    stages.take(firmware);
    expect(stages.isRestart(firmware)).toBe(false);
    expect(stages.kernelRuns).toBe(false);
    stages.take(kernel);
    expect(stages.kernelRuns).toBe(true);
    expect(stages.isRestart(firmware)).toBe(true);
  });
});
