/**
 * The bodies that requests carry, with the rules that a request alone can break and the contract's texts for them.
 *
 * Rules that need the machine or the present state belong to the services.
 */
import * as dto from '../generated/dto/index.ts';
import * as rest from '../generated/rest/index.ts';
import { parseDuration, DurationError } from '../rest/duration.ts';
import type { Structure } from '../rest/structure.ts';
import { updateFrequencyProblem, windowProblem } from './update-rules.ts';
import type { Body, Rule } from './validate.ts';

function body<T extends object>(
  dtoClass: new () => object,
  structure: Structure<T>,
  ...rules: readonly Rule<T>[]
): Body<T> {
  return { dto: dtoClass, structure, rules };
}

/** A rule that a string must not be empty. */
function required<K extends string>(field: K, text: string): Rule<Readonly<Record<K, string>>> {
  return (message) => (message[field] === '' ? { field, text } : undefined);
}

/** A rule that a name must not contain a slash. */
function noSlash<K extends string>(field: K, text: string): Rule<Readonly<Record<K, string>>> {
  return (message) => (message[field].includes('/') ? { field, text } : undefined);
}

/** What is wrong with a confirmation timeout, where one is given. */
function timeoutProblem(timeout: string | undefined, what: string): string | undefined {
  if (timeout === undefined || timeout === '') return undefined;
  try {
    return parseDuration(timeout) > 0n ? undefined : `${what} must be greater than zero`;
  } catch (error) {
    if (error instanceof DurationError) return `invalid ${what} provided: ${error.message}`;
    throw error;
  }
}

// Applications

/** POST /1.0/applications */
export const applicationInstall = body(
  dto.applications.InstallApplicationRequestDto,
  rest.applications.InstallApplicationRequest,
  required('name', 'missing application name'),
);

/** POST /1.0/applications/{name}/:action */
export const applicationAction = body(
  dto.applications.ApplicationActionDto,
  rest.applications.ApplicationAction,
);

/** POST /1.0/applications/{name}/:backup */
export const applicationBackup = body(dto.applications.BackupRequestDto, rest.applications.BackupRequest);

/** POST /1.0/applications/{name}/:switch-version */
export const applicationSwitchVersion = body(
  dto.applications.SwitchVersionRequestDto,
  rest.applications.SwitchVersionRequest,
);

/** PUT /1.0/applications/{name}, by the case of `SetConfigRequest.config` */
export const applicationConfigs = {
  plain: body(dto.applications.ApplicationDto, rest.applications.Application),
  incus: body(dto.applications.ApplicationIncusDto, rest.applications.ApplicationIncus),
  openfga: body(dto.applications.ApplicationOpenFGADto, rest.applications.ApplicationOpenFGA),
} as const;

// Add-on services

/** PUT /1.0/services/{name}, by name */
export const addonConfigs = {
  ceph: body(dto.addons.ServiceCephDto, rest.addons.ServiceCeph),
  iscsi: body(dto.addons.ServiceISCSIDto, rest.addons.ServiceISCSI),
  linstor: body(dto.addons.ServiceLinstorDto, rest.addons.ServiceLinstor),
  lvm: body(dto.addons.ServiceLVMDto, rest.addons.ServiceLVM),
  multipath: body(dto.addons.ServiceMultipathDto, rest.addons.ServiceMultipath),
  netbird: body(dto.addons.ServiceNetbirdDto, rest.addons.ServiceNetbird),
  nvme: body(dto.addons.ServiceNVMEDto, rest.addons.ServiceNVME),
  ovn: body(dto.addons.ServiceOVNDto, rest.addons.ServiceOVN),
  tailscale: body(dto.addons.ServiceTailscaleDto, rest.addons.ServiceTailscale),
  usbip: body(dto.addons.ServiceUSBIPDto, rest.addons.ServiceUSBIP),
} as const;

// System

/** POST /1.0/system/:factory-reset */
export const factoryReset = body(dto.backup.SystemResetDto, rest.backup.SystemReset);

/** PUT /1.0/system/fallback-listener */
export const fallbackListener = body(
  dto.security.SystemFallbackListenerDto,
  rest.security.SystemFallbackListener,
  ({ config }) =>
    (config?.trusted_client_certificates.length ?? 0) > 0
      ? undefined
      : {
          field: 'config.trusted_client_certificates',
          text: 'at least one trusted client TLS certificate must be defined',
        },
);

/** PUT /1.0/system/kernel */
export const kernelConfig = body(dto.system.SetKernelConfigRequestDto, rest.system.SetKernelConfigRequest);

/** PUT /1.0/system/logging */
export const loggingConfig = body(dto.system.SetLoggingConfigRequestDto, rest.system.SetLoggingConfigRequest);

/** PUT /1.0/system/network */
export const networkConfig = body(
  dto.network.SetConfigRequestDto,
  rest.network.SetConfigRequest,
  ({ config }) => {
    const devices = [config?.interfaces, config?.bonds, config?.vlans];
    return devices.some((list) => (list?.length ?? 0) > 0)
      ? undefined
      : { field: 'config', text: 'network configuration has no devices defined' };
  },
  ({ config }) => {
    const text = timeoutProblem(config?.confirmation_timeout, 'confirmation timeout');
    return text === undefined ? undefined : { field: 'config.confirmation_timeout', text };
  },
  ({ config }) => {
    const text = timeoutProblem(config?.default_confirmation_timeout, 'default confirmation timeout');
    return text === undefined ? undefined : { field: 'config.default_confirmation_timeout', text };
  },
);

/** PUT /1.0/system/provider */
export const providerConfig = body(
  dto.update.ProviderServiceSetConfigRequestDto,
  rest.update.ProviderServiceSetConfigRequest,
  ({ config }) =>
    (config?.name ?? '') === ''
      ? { field: 'config.name', text: 'a provider name must be specified' }
      : undefined,
);

/** PUT /1.0/system/security */
export const securityConfig = body(
  dto.security.SetConfigRequestDto,
  rest.security.SetConfigRequest,
  ({ config }) =>
    (config?.encryption_recovery_keys.length ?? 0) > 0
      ? undefined
      : { field: 'config.encryption_recovery_keys', text: 'no encryption key provided' },
);

/** PUT /1.0/system/update */
export const updateConfig = body(
  dto.update.SetConfigRequestDto,
  rest.update.SetConfigRequest,
  ({ config }) => {
    const text = updateFrequencyProblem(config?.check_frequency ?? '');
    return text === undefined ? undefined : { field: 'config.check_frequency', text };
  },
  ({ config }) => {
    for (const [index, window] of (config?.maintenance_windows ?? []).entries()) {
      const text = windowProblem(window);
      if (text !== undefined) return { field: `config.maintenance_windows[${index}]`, text };
    }
    return undefined;
  },
);

/** POST /1.0/system/update/:check */
export const updateCheck = body(dto.update.CheckRequestDto, rest.update.CheckRequest);

// Storage

const NO_POOL = 'no pool name provided';
const NO_DRIVE = 'no drive specified';

/** PUT /1.0/system/storage */
export const storageConfig = body(
  dto.storage.SetConfigRequestDto,
  rest.storage.SetConfigRequest,
  ({ config }) =>
    (config?.scrub_schedule ?? '') === ''
      ? { field: 'config.scrub_schedule', text: 'invalid cron expression provided for scrub schedule' }
      : undefined,
);

/** POST /1.0/system/storage/:delete-pool */
export const deletePool = body(
  dto.storage.DeletePoolRequestDto,
  rest.storage.DeletePoolRequest,
  required('name', NO_POOL),
);

/** POST /1.0/system/storage/:wipe-drive */
export const wipeDrive = body(
  dto.storage.WipeDriveRequestDto,
  rest.storage.WipeDriveRequest,
  required('id', NO_DRIVE),
);

/** POST /1.0/system/storage/:encrypt-drive */
export const encryptDrive = body(
  dto.storage.EncryptDriveRequestDto,
  rest.storage.EncryptDriveRequest,
  required('id', NO_DRIVE),
);

/** POST /1.0/system/storage/:import-encrypted-drive */
export const importEncryptedDrive = body(
  dto.storage.ImportEncryptedDriveRequestDto,
  rest.storage.ImportEncryptedDriveRequest,
  required('id', NO_DRIVE),
);

/** POST /1.0/system/storage/:import-pool */
export const importPool = body(
  dto.storage.ImportPoolRequestDto,
  rest.storage.ImportPoolRequest,
  ({ name, type }) =>
    name === '' || type === ''
      ? { field: name === '' ? 'name' : 'type', text: 'missing pool name and type' }
      : undefined,
  ({ type }) => (type === 'zfs' ? undefined : { field: 'type', text: `unsupported pool type '${type}'` }),
);

/** POST /1.0/system/storage/:create-volume */
export const createVolume = body(
  dto.storage.CreateVolumeRequestDto,
  rest.storage.CreateVolumeRequest,
  required('pool', NO_POOL),
  noSlash('pool', 'invalid pool name provided'),
  required('name', 'no volume name provided'),
  noSlash('name', 'invalid volume name provided'),
  required('use', 'no volume use provided'),
  ({ use }) =>
    use === 'incus' || use === 'linstor' ? undefined : { field: 'use', text: 'invalid volume use provided' },
);

/** POST /1.0/system/storage/:delete-volume */
export const deleteVolume = body(
  dto.storage.DeleteVolumeRequestDto,
  rest.storage.DeleteVolumeRequest,
  required('pool', NO_POOL),
  noSlash('pool', 'invalid pool name provided'),
  required('name', 'no volume name provided'),
  noSlash('name', 'invalid volume name provided'),
);

/** POST /1.0/system/storage/:scrub-pool */
export const scrubPool = body(
  dto.storage.ScrubPoolRequestDto,
  rest.storage.ScrubPoolRequest,
  required('name', NO_POOL),
);

/** POST /1.0/system/storage/:trim-pool */
export const trimPool = body(
  dto.storage.TrimPoolRequestDto,
  rest.storage.TrimPoolRequest,
  required('name', NO_POOL),
);

// Internal

/** POST /internal/auth/:generate-registration */
export const generateRegistration = body(
  dto.security.GenerateRegistrationRequestDto,
  rest.security.GenerateRegistrationRequest,
  required('token', 'missing registration token'),
);

/** POST /internal/tui/:write-message */
export const tuiMessage = body(
  dto.system.DebugTUIDto,
  rest.system.DebugTUI,
  required('message', 'no log message provided'),
);
