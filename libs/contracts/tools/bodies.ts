/**
 * The messages that requests of the REST API carry as their bodies. They and what they contain get a DTO class, and the
 * request messages among them a REST structure.
 */

/** A body: its message, and the fields that are not part of it because they come from the path or are derived. */
export interface BodyMessage {
  readonly message: string;
  readonly without?: readonly string[];
}

const ADDONS = [
  'Ceph',
  'ISCSI',
  'Linstor',
  'LVM',
  'Multipath',
  'Netbird',
  'NVME',
  'OVN',
  'Tailscale',
  'USBIP',
];

const DERIVED = { without: ['state'] } as const;
const NAMED_BY_PATH = { without: ['name'] } as const;

export const BODIES: readonly BodyMessage[] = [
  ...ADDONS.map((name) => ({ message: `incusos.addons.v1.Service${name}`, ...DERIVED })),
  { message: 'incusos.applications.v1.Application', ...DERIVED },
  { message: 'incusos.applications.v1.ApplicationAction' },
  { message: 'incusos.applications.v1.ApplicationIncus', ...DERIVED },
  { message: 'incusos.applications.v1.ApplicationOpenFGA', ...DERIVED },
  { message: 'incusos.applications.v1.BackupRequest', ...NAMED_BY_PATH },
  { message: 'incusos.applications.v1.InstallApplicationRequest' },
  { message: 'incusos.applications.v1.SwitchVersionRequest', ...NAMED_BY_PATH },
  { message: 'incusos.backup.v1.SystemReset' },
  { message: 'incusos.network.v1.SetConfigRequest' },
  { message: 'incusos.security.v1.GenerateRegistrationRequest' },
  { message: 'incusos.security.v1.SetConfigRequest' },
  { message: 'incusos.security.v1.SystemFallbackListener' },
  { message: 'incusos.storage.v1.CreateVolumeRequest' },
  { message: 'incusos.storage.v1.DeletePoolRequest' },
  { message: 'incusos.storage.v1.DeleteVolumeRequest' },
  { message: 'incusos.storage.v1.EncryptDriveRequest' },
  { message: 'incusos.storage.v1.ImportEncryptedDriveRequest' },
  { message: 'incusos.storage.v1.ImportPoolRequest' },
  { message: 'incusos.storage.v1.ScrubPoolRequest' },
  { message: 'incusos.storage.v1.SetConfigRequest' },
  { message: 'incusos.storage.v1.TrimPoolRequest' },
  { message: 'incusos.storage.v1.WipeDriveRequest' },
  { message: 'incusos.system.v1.DebugTUI' },
  { message: 'incusos.system.v1.SetKernelConfigRequest' },
  { message: 'incusos.system.v1.SetLoggingConfigRequest' },
  { message: 'incusos.update.v1.CheckRequest' },
  { message: 'incusos.update.v1.ProviderServiceSetConfigRequest' },
  { message: 'incusos.update.v1.SetConfigRequest' },
];
