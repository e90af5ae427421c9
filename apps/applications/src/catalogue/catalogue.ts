/** Every application that an appliance can run, and what sets each apart. */

export interface CatalogueEntry {
  readonly name: string;
  /** An appliance has exactly one primary application: it brings the HTTPS listener. */
  readonly primary: boolean;
  /** Each entry lists alternatives, one of which must be installed; the first is taken when none is. */
  readonly dependencies: readonly (readonly string[])[];
  /** Applications start in ascending order. */
  readonly weight: number;
  /** Units that a restart restarts; empty for applications without a process of their own. */
  readonly restart: readonly string[];
  /** Where its data is; whether there is any tells an application that was used from a new one. */
  readonly data?: string;
  /** Prints the version of what the image carries. */
  readonly versionCommand?: readonly [string, ...string[]];
  /** The verbs of `:action`. */
  readonly actions: readonly string[];
  readonly backup: boolean;
  readonly factoryReset: boolean;
  /** The entry of the state that it shares with another application. */
  readonly sharesStateOf?: string;
}

type Extras = Partial<Omit<CatalogueEntry, 'name'>>;

function application(name: string, weight: number, extras: Extras = {}): CatalogueEntry {
  return {
    name,
    weight,
    primary: false,
    dependencies: [],
    restart: [],
    actions: [],
    backup: false,
    factoryReset: false,
    ...extras,
  };
}

const anyIncus = ['incus', 'incus-lts-7.0'];

const incus: Extras = {
  primary: true,
  restart: ['incus.service'],
  data: '/var/lib/incus',
  versionCommand: ['incus', '--version'],
  actions: ['initialize-ceph-cluster'],
  backup: true,
  factoryReset: true,
};

function service(name: string): Extras {
  return { restart: [`${name}.service`], data: `/var/lib/${name}`, backup: true, factoryReset: true };
}

/** The catalogue, by name. */
export const catalogue: readonly CatalogueEntry[] = [
  application('debug', -1),
  application('gpu-support', -1),
  application('incus', 0, incus),
  application('incus-ceph', -1, {
    dependencies: [anyIncus],
    actions: ['add-drive', 'refresh-images', 'remove-drive'],
  }),
  application('incus-linstor', -1, { dependencies: [anyIncus] }),
  application('incus-lts-7.0', 0, { ...incus, sharesStateOf: 'incus' }),
  application('migration-manager', 0, { ...service('migration-manager'), primary: true }),
  application('openfga', 1, { ...service('openfga'), restart: ['openfga.service', 'openfga-sync.service'] }),
  application('operations-center', 0, { ...service('operations-center'), primary: true }),
];

export function catalogueEntry(name: string): CatalogueEntry | undefined {
  return catalogue.find((entry) => entry.name === name);
}

/** The key of an application in the state. */
export function stateKey({ name, sharesStateOf }: CatalogueEntry): string {
  return sharesStateOf ?? name;
}
