/** What the security service remembers. */
import type { Host } from '@incusos/host';
import { openState, type StateStore } from '@incusos/state';

export const SECURITY_STATE = Symbol('security-state');

/** Holds the state and the keys that only this service uses. */
export const stateDirectory = '/var/lib/incus-os/security';

/** A client certificate that may manage the appliance. */
export interface TrustedClientRecord {
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string;
  readonly certificate: string;
  readonly name: string;
  readonly role: string;
}

export interface FallbackListenerRecord {
  readonly listen_address?: string;
  readonly trusted_client_certificates: readonly string[];
  readonly persistent: boolean;
}

export interface SecurityState {
  readonly custom_ca_certs: readonly string[];
  /** Passphrases that open the system's volumes. */
  readonly recovery_keys: readonly string[];
  /**
   * Whether the volumes' keyslots are known to hold exactly `recovery_keys`. False from before the first keyslot is
   * touched until the last one is, so that a crash in between is noticed and made good at the next start.
   */
  readonly keyslots_in_step: boolean;
  readonly recovery_keys_retrieved: boolean;
  /** SHA-256, hex, of the pool keys that were there when the operator took the keys; others were not taken yet. */
  readonly retrieved_pool_keys: readonly string[];
  /** Once true, always true: someone outside could run programs in this machine. */
  readonly guest_agent_was_enabled: boolean;
  readonly fallback_listener: FallbackListenerRecord;
  readonly trusted_clients: readonly TrustedClientRecord[];
}

export function initialState(): SecurityState {
  return {
    custom_ca_certs: [],
    recovery_keys: [],
    keyslots_in_step: false,
    recovery_keys_retrieved: false,
    retrieved_pool_keys: [],
    guest_agent_was_enabled: false,
    fallback_listener: { trusted_client_certificates: [], persistent: false },
    trusted_clients: [],
  };
}

export function openSecurityState(host: Host): Promise<StateStore<SecurityState>> {
  return openState(host, {
    directory: stateDirectory,
    version: 1,
    initial: initialState,
    validate: validateState,
  });
}

/** @throws Error naming the member that isn't as it should be. */
export function validateState(data: unknown): SecurityState {
  const state = object(data, 'state');
  const listener = object(state['fallback_listener'], 'fallback_listener');
  const address = listener['listen_address'];
  if (address !== undefined && typeof address !== 'string')
    throw new Error('fallback_listener.listen_address is not a text');
  return {
    custom_ca_certs: texts(state['custom_ca_certs'], 'custom_ca_certs'),
    recovery_keys: texts(state['recovery_keys'], 'recovery_keys'),
    keyslots_in_step: flag(state['keyslots_in_step'], 'keyslots_in_step'),
    recovery_keys_retrieved: flag(state['recovery_keys_retrieved'], 'recovery_keys_retrieved'),
    retrieved_pool_keys: texts(state['retrieved_pool_keys'], 'retrieved_pool_keys'),
    guest_agent_was_enabled: flag(state['guest_agent_was_enabled'], 'guest_agent_was_enabled'),
    fallback_listener: {
      ...(address === undefined ? {} : { listen_address: address }),
      trusted_client_certificates: texts(
        listener['trusted_client_certificates'],
        'fallback_listener.trusted_client_certificates',
      ),
      persistent: flag(listener['persistent'], 'fallback_listener.persistent'),
    },
    trusted_clients: list(state['trusted_clients'], 'trusted_clients').map((item, index) => {
      const client = object(item, `trusted_clients[${index}]`);
      const member = (name: string): string => text(client[name], `trusted_clients[${index}].${name}`);
      return {
        fingerprint: member('fingerprint'),
        certificate: member('certificate'),
        name: member('name'),
        role: member('role'),
      };
    }),
  };
}

function object(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${name} is not an object`);
  return value as Readonly<Record<string, unknown>>;
}

function list(value: unknown, name: string): unknown[] {
  if (!Array.isArray(value)) throw new Error(`${name} is not a list`);
  return value;
}

function text(value: unknown, name: string): string {
  if (typeof value !== 'string') throw new Error(`${name} is not a text`);
  return value;
}

function texts(value: unknown, name: string): string[] {
  return list(value, name).map((item, index) => text(item, `${name}[${index}]`));
}

function flag(value: unknown, name: string): boolean {
  if (typeof value !== 'boolean') throw new Error(`${name} is not a boolean`);
  return value;
}
