/** What the system service remembers: the configuration of kernel, logging and its add-on. */
import { ServiceUSBIPConfig } from '@incusos/contracts/addons';
import { SystemKernelConfig, SystemLoggingConfig } from '@incusos/contracts/system';
import type { Host } from '@incusos/host';
import { openState, type StateStore } from '@incusos/state';

export interface SystemState {
  readonly kernel: SystemKernelConfig;
  /** Without the key of journal upload, which is in the file that `journal_upload_key` names. */
  readonly logging: SystemLoggingConfig;
  /** Name of the key's file next to the state; absent when there is none. */
  readonly journal_upload_key?: string;
  readonly usbip: ServiceUSBIPConfig;
}

/** Injects the service's state. */
export const SYSTEM_STATE = Symbol('system-state');

export const stateDirectory = '/var/lib/incus-os/system';

export function initialState(): SystemState {
  return {
    kernel: SystemKernelConfig.create(),
    logging: SystemLoggingConfig.create(),
    usbip: ServiceUSBIPConfig.create(),
  };
}

export function openSystemState(host: Host): Promise<StateStore<SystemState>> {
  return openState(host, { directory: stateDirectory, version: 1, initial: initialState, validate });
}

function validate(data: unknown): SystemState {
  if (typeof data !== 'object' || data === null || !('kernel' in data) || !('logging' in data)) {
    throw new Error('it lacks the kernel or the logging configuration');
  }
  const key = 'journal_upload_key' in data ? data.journal_upload_key : undefined;
  if (key !== undefined && (typeof key !== 'string' || !journalUploadKeyFile.test(key))) {
    throw new Error('the name of its journal upload key is not one of ours');
  }
  return {
    kernel: SystemKernelConfig.fromPartial(data.kernel as SystemKernelConfig),
    logging: SystemLoggingConfig.fromPartial(data.logging as SystemLoggingConfig),
    usbip: ServiceUSBIPConfig.fromPartial(('usbip' in data ? data.usbip : {}) as ServiceUSBIPConfig),
    ...(key === undefined ? {} : { journal_upload_key: key }),
  };
}

/** Names of the key files: the content decides the name, so a new key never overwrites the one in use. */
export const journalUploadKeyFile = /^journal-upload-[0-9a-f]{16}\.key$/u;
