/** What the applications service remembers of each application. */
import type { Host } from '@incusos/host';
import { openState, type StateStore } from '@incusos/state';

export interface ApplicationRecord {
  /** The release that is linked in, 12 digits. */
  readonly version: string;
  /** Its one-time initialisation succeeded. */
  readonly initialized: boolean;
  readonly friendly_version: string;
  /** RFC 3339; when a backup was last restored. */
  readonly last_restored?: string;
  readonly pin_current_versions: boolean;
  /** Of Incus. */
  readonly lxcfs?: { readonly cpu_shares: boolean; readonly load_average: boolean };
  /** Of openfga. */
  readonly api_tokens?: readonly string[];
}

export interface ApplicationsState {
  /** By name; both kinds of Incus share the entry `incus`. */
  readonly applications: Readonly<Record<string, ApplicationRecord>>;
  /** Names that the seed asked for, whether installed yet or not. */
  readonly wanted: readonly string[];
}

/** Injects the service's state. */
export const APPLICATIONS_STATE = Symbol('applications-state');

export const stateDirectory = '/var/lib/incus-os/applications';

export function openApplicationsState(host: Host): Promise<StateStore<ApplicationsState>> {
  return openState(host, {
    directory: stateDirectory,
    version: 1,
    initial: (): ApplicationsState => ({ applications: {}, wanted: [] }),
    validate,
  });
}

function validate(data: unknown): ApplicationsState {
  if (typeof data !== 'object' || data === null || !('applications' in data)) {
    throw new Error('it lacks the applications');
  }
  const { applications } = data;
  if (typeof applications !== 'object' || applications === null)
    throw new Error('its applications are no table');
  for (const [name, record] of Object.entries(applications)) {
    if (!isRecord(record)) throw new Error(`its record of the application '${name}' is not one`);
  }
  const wanted: unknown = 'wanted' in data ? data.wanted : [];
  if (!Array.isArray(wanted) || !wanted.every((name) => typeof name === 'string'))
    throw new Error('its wanted applications are no names');
  return { applications: applications as Readonly<Record<string, ApplicationRecord>>, wanted };
}

function isRecord(value: unknown): value is ApplicationRecord {
  return (
    typeof value === 'object' &&
    value !== null &&
    'version' in value &&
    typeof value.version === 'string' &&
    'initialized' in value &&
    typeof value.initialized === 'boolean' &&
    'friendly_version' in value &&
    typeof value.friendly_version === 'string' &&
    'pin_current_versions' in value &&
    typeof value.pin_current_versions === 'boolean'
  );
}
