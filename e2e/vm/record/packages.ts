/** Which Debian package each recorded program is from. */
export const packageOf: Readonly<Record<string, string>> = {
  ...{ lsblk: 'util-linux', blkdiscard: 'util-linux', wipefs: 'util-linux', zramctl: 'util-linux' },
  ...{ mkswap: 'util-linux', swapon: 'mount', swapoff: 'mount' },
  ...{ dd: 'coreutils', stty: 'coreutils', sgdisk: 'gdisk', smartctl: 'smartmontools' },
  ...{ zpool: 'zfsutils-linux', zfs: 'zfsutils-linux', cryptsetup: 'cryptsetup-bin' },
  ...{ udevadm: 'udev', ip: 'iproute2', ps: 'procps', modprobe: 'kmod', rmmod: 'kmod' },
  ...{ networkctl: 'systemd', hostnamectl: 'systemd', timedatectl: 'systemd', systemctl: 'systemd' },
  ...{ journalctl: 'systemd', resolvectl: 'systemd-resolved', 'systemd-cryptenroll': 'systemd-cryptsetup' },
  '/lib64/ld-linux-x86-64.so.2': 'libc6',
};
