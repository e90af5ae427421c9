/** Where the emulated programs answer otherwise than the real ones on purpose. */

export interface AllowedDifference {
  /** Command lines, or paths of files. */
  readonly about: RegExp;
  readonly difference: RegExp;
  /** In this recording only. */
  readonly recording?: string;
  readonly reason: string;
}

export const allowedDifferences: readonly AllowedDifference[] = [
  {
    about: /^smartctl -aj /u,
    difference:
      /^stdout (?:scsi_lb_provisioning|seagate_farm_log|smartctl\.drive_database_version|trim|in_smartctl_database|ata_version|ata_smart_data|ata_smart_error_log|ata_smart_self_test_log|power_cycle_count|nvme_(?:pci_vendor|ieee_oui_identifier|controller_id|version|number_of_namespaces|namespaces|error_information_log)|nvme_smart_health_information_log\.\w+|ata_smart_attributes\.table\[\w*\](?:\.flags| \(\w+\))): only real$/u,
    reason: 'nobody reads these members',
  },
  {
    about: /^smartctl -aj \/dev\/sd/u,
    difference:
      /^(?:exit code 4, not 0|stdout (?:smart_support\.enabled|smart_status|power_on_time|model_family|ata_smart_attributes\.table\[\] \(Seek_Error_Rate\)): only emulated)$/u,
    reason: "emulated drives have the health that real hardware has; QEMU's SCSI drives have none",
  },
  {
    about: /^smartctl -aj \/dev\/sd/u,
    difference:
      /^(?:exit code 1, not 0|stdout (?:smartctl\.messages: only real|(?:device|user_capacity|logical_block_size|physical_block_size|model_name|serial_number|firmware_version|smart_support|temperature|ata_smart_attributes): only emulated))$/u,
    reason: "an emulated USB drive has a bridge that smartctl knows; QEMU's isn't one",
  },
  {
    about: /^zpool status /u,
    difference: /\.alloc_space: only (?:real|emulated)$/u,
    reason:
      'what is in an emulated pool is put down to the first of its vdevs, also what a special one would have',
  },
  {
    about: /^zpool status /u,
    difference: /\.scan_processed: only real$/u,
    reason: 'nobody reads this member',
  },
  {
    recording: 'storage/checksum-errors',
    about: /^zpool status /u,
    difference: /\.(?:status|action|msgid|moreinfo|self_healed): only real$/u,
    reason: 'emulated drives never give back other data than was written',
  },
  {
    recording: 'storage/refusals',
    about: /^zpool (?:frobnicate|scrub -y)/u,
    difference: /^stderr '.*': only real$/u,
    reason: 'the whole usage text is of no use to a program',
  },
  {
    recording: 'security/system-volumes',
    about: /\/dev\/disk\/by-partlabel\//u,
    difference: /^stdout (?:(?:keyslots|tokens)\.\* |keyslots\.\*\.kdf\.|'0 (?:password|recovery)')/u,
    reason: 'on the real machine the security service has given itself keys by then',
  },
  {
    about: /\/efivars\/dbx-/u,
    difference: /^ENOENT, but there$/u,
    reason: 'the emulated firmware has a list of revoked signatures, a virtual machine has none',
  },
  {
    about: /^zpool status /u,
    difference: /\.phys_space: only real$/u,
    reason: 'nobody reads this member',
  },
  {
    recording: 'network/names',
    about: /^hostnamectl hostname$/u,
    difference: /^stdout '(?:HEX|localhost)'/u,
    reason: 'every machine has a name of its own',
  },
  {
    recording: 'network/names',
    about: /^resolvectl query /u,
    difference: /^stderr /u,
    reason: 'the course configures no network, which the real machine has',
  },
  {
    about: /^ip -j -d address show$/u,
    difference:
      /\.(?:linkinfo\.info_slave_data|linkinfo\.info_data\.\w+|addr_info\[\]\.protocol): only real$/u,
    reason: 'nobody reads these members',
  },
  {
    about: /^ip -j -d address show$/u,
    difference: /\.permaddr: only (?:real|emulated)$/u,
    reason:
      'emulated cards keep their address in a bond; the real one had an address of its own set before, which udev leaves',
  },
  {
    recording: 'network/one-card',
    about: /^(?:ip|networkctl) /u,
    difference: /\((?:neighbour|_p52540012346[13])\): only (?:real|emulated)$/u,
    reason: 'the emulated switch is the neighbour; on the real machine another device is',
  },
  {
    about: /^ip -j -[46] route /u,
    difference: /\.(?:nhid|expires): only real$/u,
    reason: 'nobody reads these members',
  },
  {
    about: /^ip -j -4 route /u,
    difference: /\(10\.0\.2\.[23]\): only real$/u,
    reason: "networkd's own routes to the servers of DHCP are not emulated",
  },
  {
    about: /^networkctl list /u,
    difference:
      /^stdout (?:Routes|RoutingPolicyRules|Interfaces\[\w+\]\.(?:AlternativeNames|Addresses\[\]\.\w+|DHCPv[46]Client|DNS|DNSSettings|Driver|Flags|FlagsString|LinkFile|MasterInterfaceIndex|Model|NextHops|Routes|Vendor)): only real$/u,
    reason: 'nobody reads these members',
  },
  {
    about: /^networkctl list /u,
    difference:
      /\.(?:HardwareAddress|BroadcastAddress|RequiredOperationalStateForOnline): only emulated$|FlagsString: null, not string$/u,
    reason: 'nobody reads these members',
  },
  {
    about: /^ip monitor /u,
    difference: /: only emulated$/u,
    reason: 'every line stands for a change, whatever it says',
  },
  {
    recording: 'storage/refusals',
    about: /^zpool create /u,
    difference: /no such pool or dataset|refer to the same device|part of an active md/u,
    reason: 'which of two reasons ZFS gives for a drive that is named twice depends on its timing',
  },
  {
    recording: 'system/kernel',
    about: /^zramctl --reset \/dev\/zram0$/u,
    difference: /exit code 1, not 0|Device or resource busy|No such device/u,
    reason: 'udev keeps a device busy for a moment, which the service waits for',
  },
  {
    about: /^timedatectl show$/u,
    difference: /^stdout '(?:RTC)?TimeUSec': only real$/u,
    reason: 'nobody asks for these properties',
  },
  {
    about: /^\/proc\/modules$/u,
    difference: /^text '\w+ 0 0 [\w,-]+ Live 0x0': only emulated$/u,
    reason: 'every machine has modules of its own',
  },
  {
    about: /^\/proc\/(?:meminfo|cpuinfo)$/u,
    difference: /: only real$/u,
    reason: 'nobody reads these lines',
  },
  {
    about: /^\/lib64\/ld-linux/u,
    difference: /^stdout 'ELF programs\.': only emulated$/u,
    reason: 'the emulated loader tells the beginning of its long text only',
  },
  {
    about: /^journalctl --vacuum-files=1$/u,
    difference: /journal/u,
    reason: 'the emulated journal is one small file',
  },
  {
    about: /^udevadm monitor /u,
    difference: /^stdout 'DEVLINKS=/u,
    reason: 'udev tells the links in no order, with those of the disk sequence among them',
  },
  {
    about: /^(?:blkdiscard -f|dd if=)/u,
    difference:
      /^(?:exit code 0, not 2|stderr 'blkdiscard: BLKDISCARD: |stdout '\P{L}+': only real|stdout 'INCUS': only emulated)/u,
    reason: 'emulated SCSI drives have no discard, so that the dearer ways of wiping are gone through',
  },
];
