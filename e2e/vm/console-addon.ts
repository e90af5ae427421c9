/**
 * What a machine under test has on its kernel's command line beside the image's own, which is signed: a console on the
 * serial port, and credentials from the hypervisor, of which the image takes none. The ESP gets an addon with one more
 * argument list, signed with the same key as the kernel (systemd-stub(7)). It is measured to PCR 12, which nothing is
 * bound to.
 */
import { join } from 'node:path';
import { inside } from '../../image/tools/roots.ts';

export const consoleCommandLine = [
  ...['console=ttyS0,115200', 'loglevel=5', 'systemd.show_status=1'],
  ...['systemd.journald.forward_to_console=1', 'systemd.journald.max_level_console=info'],
  'systemd.import_credentials=yes',
  // Emulated by a busy computer, the timer is late for the kernel's test of it, which panics then ("IO-APIC + timer
  // doesn't work!"). Guests of KVM leave the test out by themselves.
  'no_timer_check',
].join(' ');

/** The addon in the ESP. */
export const consoleAddon = '/loader/addons/console.addon.efi';

/** Where the ESP begins in every image, in bytes. */
const espOffset = 1_048_576;

/** Puts the addon into the ESP of a disk image. */
export async function addConsole(tools: string, directory: string, keys: string): Promise<void> {
  const addon = '/vm/console.addon.efi';
  const build = [
    'ukify',
    'build',
    `--cmdline=${consoleCommandLine}`,
    '--secureboot-private-key=/keys/secure-boot.key',
    '--secureboot-certificate=/keys/secure-boot.crt',
    `--output=${addon}`,
  ];
  const mounts = { '/vm': directory, '/keys': keys };
  await inside(tools, build, { log: join(directory, 'addon.log'), mounts });
  const esp = `/vm/disk.raw@@${espOffset}`;
  const copy = [
    'set -e',
    `mmd -i ${esp} -D s ::/loader/addons || :`,
    `mcopy -o -i ${esp} ${addon} ::${consoleAddon}`,
  ].join('\n');
  await inside(tools, ['sh', '-c', copy], { log: join(directory, 'addon-copy.log'), mounts });
}
