/** Where the emulated programs answer otherwise than the real ones on purpose. */

export interface AllowedDifference {
  /** Command lines, or paths of files. */
  readonly about: RegExp;
  readonly difference: RegExp;
  readonly reason: string;
}

export const allowedDifferences: readonly AllowedDifference[] = [
  {
    about: /^smartctl -aj /u,
    difference:
      /^stdout (?:scsi_lb_provisioning|seagate_farm_log|smartctl\.drive_database_version|trim|in_smartctl_database|ata_version|ata_smart_data|ata_smart_error_log|ata_smart_self_test_log|power_cycle_count|nvme_(?:pci_vendor|ieee_oui_identifier|controller_id|version|number_of_namespaces|namespaces|error_information_log)|nvme_smart_health_information_log\.\w+|ata_smart_attributes\.table\[\](?:\.flags| \(\w+\))): only real$/u,
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
