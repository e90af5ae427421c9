/** What is on the system disk: the operating system of the running release, and what an installation leaves behind. */
import type { EmulatedMachine } from '../machine/emulated-machine.ts';

const efiDirectory = '/boot/EFI/Linux';

/** Puts a freshly installed system on a disk that has none. Nothing that is there is touched. */
export async function installOs(machine: EmulatedMachine): Promise<void> {
  const { files } = machine;
  if (await files.exists('/etc/machine-id')) return;
  const { machine_id, os } = machine.read().system;
  await files.writeAtomic(
    `${efiDirectory}/${os.name}_${os.release}.efi`,
    `unified kernel image of ${os.name} ${os.release}\n`,
    { mode: 0o444 },
  );
  for (const { name } of os.applications) {
    const image = `/var/lib/incus-os-extensions/${os.release}/${name}.raw`;
    await files.writeAtomic(image, `system extension ${name} ${os.release}\n`);
    await files.makeSymlink(image, `/var/lib/extensions/${name}.raw`);
  }
  // An installation was used once: its primary application has data.
  await files.makeDirectory('/var/lib/incus', 0o711);
  await files.makeSymlink('../usr/lib/os-release', '/etc/os-release');
  await files.writeAtomic('/etc/machine-id', `${machine_id}\n`, { mode: 0o444 });
}

/**
 * Does what the boot loader does: the newest kernel image that has tries left becomes the running release, and what it
 * boots, `/usr`, shows itself (systemd-boot(7), Automatic Boot Assessment).
 */
export async function bootOs(machine: EmulatedMachine): Promise<void> {
  const { files } = machine;
  await installOs(machine);
  const { name } = machine.read().system.os;
  const images = (await files.list(efiDirectory)).flatMap((file) => {
    const match = new RegExp(`^${name}_(\\d+)(?:\\+(\\d+)(?:-(\\d+))?)?\\.efi$`, 'u').exec(file);
    return match === null
      ? []
      : [{ file, release: match[1] ?? '', left: match[2], done: Number(match[3] ?? 0) }];
  });
  const bootable = images.toSorted((a, b) => {
    const exhausted = Number(a.left === '0') - Number(b.left === '0');
    return exhausted === 0 ? b.release.localeCompare(a.release) : exhausted;
  });
  const [chosen] = bootable;
  if (chosen !== undefined) {
    if (chosen.left !== undefined && chosen.left !== '0') {
      const counted = `${name}_${chosen.release}+${Number(chosen.left) - 1}-${chosen.done + 1}.efi`;
      await files.rename(`${efiDirectory}/${chosen.file}`, `${efiDirectory}/${counted}`);
    }
    await machine.change(({ system }) => {
      system.os.release = chosen.release;
    });
  }
  const { os } = machine.read().system;
  await files.writeAtomic('/usr/lib/os-release', osRelease(os.name, os.release));
  await files.writeAtomic(
    '/usr/lib/sysctl.d/50-default.conf',
    'net.ipv4.conf.all.arp_ignore = 1\nnet.ipv4.tcp_congestion_control = bbr\n',
  );
}

function osRelease(name: string, release: string): string {
  return [
    `PRETTY_NAME="${name} ${release}"`,
    `NAME="${name}"`,
    'ID=incus-os',
    'ID_LIKE=debian',
    'VERSION_ID="13"',
    'VERSION_CODENAME=trixie',
    `IMAGE_ID="${name}"`,
    `IMAGE_VERSION="${release}"`,
    '',
  ].join('\n');
}
