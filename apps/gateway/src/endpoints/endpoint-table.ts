/**
 * Every endpoint of the API and the calls that answer it. The controllers have to agree with this table, which a test
 * sees to; at run time it tells a path that exists from one that doesn't.
 */

export type Method = 'GET' | 'PUT' | 'POST';

export interface Endpoint {
  readonly method: Method;
  /** With `{name}` for a variable segment. */
  readonly path: string;
  /** `<service>/<Rpc>` of each call that is made, in the order of the first call; empty = the gateway answers by itself. */
  readonly calls: readonly string[];
}

function endpoint(method: Method, path: string, ...calls: readonly string[]): Endpoint {
  return { method, path, calls };
}

const applications = 'incusos.applications.v1.ApplicationsService';
const addons = 'incusos.addons.v1.AddonHost';
const backup = 'incusos.backup.v1.BackupService';
const debug = 'incusos.system.v1.DebugService';
const network = 'incusos.network.v1.NetworkService';
const provider = 'incusos.update.v1.ProviderService';
const security = 'incusos.security.v1.SecurityService';
const state = 'incusos.state.v1.StateOwner';
const storage = 'incusos.storage.v1.StorageService';
const system = 'incusos.system.v1.SystemService';
const trust = 'incusos.security.v1.TrustService';
const update = 'incusos.update.v1.UpdateService';

export const endpoints: readonly Endpoint[] = [
  endpoint('GET', '/'),
  endpoint('GET', '/1.0', `${system}/GetEnvironment`),

  endpoint('GET', '/1.0/applications', `${applications}/ListApplications`),
  endpoint('POST', '/1.0/applications', `${applications}/InstallApplication`),
  endpoint('GET', '/1.0/applications/{name}', `${applications}/GetApplication`),
  endpoint('PUT', '/1.0/applications/{name}', `${applications}/GetApplication`, `${applications}/SetConfig`),
  endpoint('POST', '/1.0/applications/{name}/:action', `${applications}/RunAction`),
  endpoint('POST', '/1.0/applications/{name}/:backup', `${applications}/Backup`),
  endpoint('POST', '/1.0/applications/{name}/:check-update', `${applications}/CheckUpdate`),
  endpoint('POST', '/1.0/applications/{name}/:debug', `${applications}/Debug`),
  endpoint('POST', '/1.0/applications/{name}/:factory-reset', `${applications}/FactoryReset`),
  endpoint('POST', '/1.0/applications/{name}/:remove', `${applications}/Remove`),
  endpoint('POST', '/1.0/applications/{name}/:restart', `${applications}/Restart`),
  endpoint('POST', '/1.0/applications/{name}/:restore', `${applications}/Restore`),
  endpoint('POST', '/1.0/applications/{name}/:switch-version', `${applications}/SwitchVersion`),

  endpoint('GET', '/1.0/debug'),
  endpoint('GET', '/1.0/debug/kernel', `${debug}/GetKernel`),
  endpoint('GET', '/1.0/debug/log', `${debug}/StreamLog`),
  endpoint('GET', '/1.0/debug/processes', `${debug}/GetProcesses`),
  endpoint('GET', '/1.0/debug/report', `${debug}/GetReport`),
  endpoint('POST', '/1.0/debug/:run-script', `${debug}/RunScript`),
  endpoint('GET', '/1.0/debug/secureboot'),
  endpoint('GET', '/1.0/debug/secureboot/event-log', `${security}/GetEventLog`),
  endpoint('POST', '/1.0/debug/secureboot/:update', `${security}/UpdateSecureBoot`),

  endpoint('GET', '/1.0/services', `${addons}/ListAddons`),
  endpoint('GET', '/1.0/services/{name}', `${addons}/ListAddons`, `${addons}/GetAddon`),
  endpoint('PUT', '/1.0/services/{name}', `${addons}/ListAddons`, `${addons}/SetAddonConfig`),
  endpoint('POST', '/1.0/services/{name}/:reset', `${addons}/ListAddons`, `${addons}/ResetAddon`),

  endpoint('GET', '/1.0/system'),
  endpoint('POST', '/1.0/system/:backup', `${backup}/CreateBackup`),
  endpoint('POST', '/1.0/system/:factory-reset', `${backup}/FactoryReset`),
  endpoint('POST', '/1.0/system/:poweroff', `${system}/PowerOff`),
  endpoint('POST', '/1.0/system/:reboot', `${system}/Reboot`),
  endpoint('POST', '/1.0/system/:recover-state', `${state}/RecoverState`),
  endpoint('POST', '/1.0/system/:restore', `${backup}/Restore`),
  endpoint('POST', '/1.0/system/:suspend', `${system}/Suspend`),
  endpoint('GET', '/1.0/system/fallback-listener', `${trust}/GetFallbackListener`),
  endpoint('PUT', '/1.0/system/fallback-listener', `${trust}/SetFallbackListener`),
  endpoint('GET', '/1.0/system/kernel', `${system}/GetKernel`),
  endpoint('PUT', '/1.0/system/kernel', `${system}/SetKernelConfig`),
  endpoint('GET', '/1.0/system/logging', `${system}/GetLogging`),
  endpoint('PUT', '/1.0/system/logging', `${system}/SetLoggingConfig`),
  endpoint('GET', '/1.0/system/network', `${network}/GetNetwork`),
  endpoint('PUT', '/1.0/system/network', `${network}/SetConfig`),
  endpoint('POST', '/1.0/system/network/:confirm', `${network}/ConfirmConfig`),
  endpoint('POST', '/1.0/system/network/:flush-dns', `${network}/FlushDns`),
  endpoint('GET', '/1.0/system/provider', `${provider}/GetProvider`),
  endpoint('PUT', '/1.0/system/provider', `${provider}/SetConfig`),
  endpoint('GET', '/1.0/system/resources', `${system}/GetResources`),
  endpoint('GET', '/1.0/system/security', `${security}/GetSecurity`),
  endpoint('PUT', '/1.0/system/security', `${security}/SetConfig`),
  endpoint('POST', '/1.0/system/security/:retrieved', `${security}/MarkRecoveryKeysRetrieved`),
  endpoint('POST', '/1.0/system/security/:tpm-rebind', `${security}/RebindTpm`),
  endpoint('GET', '/1.0/system/storage', `${storage}/GetStorage`),
  endpoint('PUT', '/1.0/system/storage', `${storage}/SetConfig`),
  endpoint('POST', '/1.0/system/storage/:cleanup-root', `${storage}/CleanupRoot`),
  endpoint('POST', '/1.0/system/storage/:create-volume', `${storage}/CreateVolume`),
  endpoint('POST', '/1.0/system/storage/:delete-pool', `${storage}/DeletePool`),
  endpoint('POST', '/1.0/system/storage/:delete-volume', `${storage}/DeleteVolume`),
  endpoint('POST', '/1.0/system/storage/:encrypt-drive', `${storage}/EncryptDrive`),
  endpoint('POST', '/1.0/system/storage/:import-encrypted-drive', `${storage}/ImportEncryptedDrive`),
  endpoint('POST', '/1.0/system/storage/:import-pool', `${storage}/ImportPool`),
  endpoint('POST', '/1.0/system/storage/:rescan-scsi', `${storage}/RescanScsi`),
  endpoint('POST', '/1.0/system/storage/:scrub-pool', `${storage}/ScrubPool`),
  endpoint('POST', '/1.0/system/storage/:trim-pool', `${storage}/TrimPool`),
  endpoint('POST', '/1.0/system/storage/:wipe-drive', `${storage}/WipeDrive`),
  endpoint('GET', '/1.0/system/update', `${update}/GetUpdate`),
  endpoint('PUT', '/1.0/system/update', `${update}/SetConfig`),
  endpoint('POST', '/1.0/system/update/:check', `${update}/Check`),

  endpoint('POST', '/internal/auth/:generate-registration', `${security}/GenerateRegistration`),
  endpoint('POST', '/internal/auth/:generate-token', `${security}/GenerateToken`),
  endpoint('GET', '/internal/secureboot', `${security}/GetSecureBootCertificates`),
  endpoint('POST', '/internal/tui/:write-message', `${debug}/WriteMessage`),
];

const patterns = [...new Set(endpoints.map(({ path }) => path))].map(
  (path) => new RegExp(`^${path.replaceAll('.', '\\.').replaceAll('{name}', '[^/:][^/]*')}$`),
);

/** Whether some method of this path does something. */
export function isEndpointPath(path: string): boolean {
  return patterns.some((pattern) => pattern.test(path));
}
