/** The command line of `npm run vm`. */
import { Command } from 'commander';
import { addControl } from '../control/program.ts';
import { runOptions, type TypedOptions } from './options.ts';

const help = `
Without a machine in DIR, one is made from the image; what is missing (tools, image) is built first. The machine's disk,
firmware variables, TPM and hardware stay in DIR: the next start with the same DIR brings the same machine back, also with
drives and NICs that were plugged in by ctl.

  BUS      scsi (unless given), nvme, usb, virtio or sata; ID is the serial number, up to 20 characters, so that
           scsi:disk1 is /dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_disk1
  NETWORK  user (unless given): QEMU's own, with DHCP and a way out; socket:PORT: one that machines on this computer share;
           hub:NUMBER: one that NICs of this machine share; bridge:INTERFACE: a bridge of this computer. A NIC's MAC
           follows from its name.

Examples:
  npm run vm
  npm run vm -- --drive disk1:10GiB --drive nvme:fast1:20GiB --nic enp6s0 --nic enp7s0=socket:5000
  npm run vm -- --dir /var/tmp/vm2 --port 9444 --seed my-seeds/
  npm run vm -- --snapshot
  npm run vm -- ctl --help
`;

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

export function vmProgram(): Command {
  const program = new Command('npm run vm --')
    .description(
      'The image in a virtual machine with Secure Boot and a TPM, in the foreground, until Ctrl-C.',
    )
    .option('--dir <dir>', 'where the machine is kept; .incusos/vm unless given')
    .option('--port <port>', "of this computer, for the API; unless given the machine's last, at first 9443")
    .option('--drive <[bus:]id:size>', 'one more drive, such as disk1:10GiB; any number of times', collect)
    .option('--nic <name[=network]>', 'one more NIC, such as enp6s0; any number of times', collect)
    .option('--seed <dir or tar>', 'seed files for the first start')
    .option('--tpm', 'with a TPM again')
    .option('--no-tpm', 'without a TPM')
    .option('--secure-boot', 'with firmware that knows Secure Boot again')
    .option('--no-secure-boot', 'with firmware without Secure Boot')
    .option('--snapshot', 'runs on copies that are thrown away at the end')
    .option('--image <file>', 'the disk image of a new machine; the newest in image/output unless given')
    .option('--accel <accelerator>', 'kvm or tcg; what works unless given')
    .option('--memory <MiB>', "the machine's memory; unless given its last, at first 4096")
    .option('--credential <name=file>', 'a systemd credential; a file of DIR; any number of times', collect)
    .option('--timeout <minutes>', 'for how long the API is waited for; 15 unless given')
    .addHelpText('after', help)
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError('npm run vm -- --help tells the options.')
    .action(async (options: TypedOptions) => {
      const { runInForeground } = await import('./foreground.ts');
      await runInForeground(runOptions(options));
    });
  addControl(program);
  return program;
}
