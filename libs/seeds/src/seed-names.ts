/** The seeds there are. */
import type {
  Applications,
  Incus,
  Install,
  Kernel,
  MigrationManager,
  Network,
  OperationsCenter,
  Provider,
  Security,
  Services,
  Storage,
  Update,
} from '@incusos/contracts/seeds';

/** What each seed says. A `version` is in every one and means nothing yet. */
export interface SeedMessages {
  readonly applications: Applications;
  readonly incus: Incus;
  readonly install: Install;
  readonly kernel: Kernel;
  readonly 'migration-manager': MigrationManager;
  readonly network: Network;
  readonly 'operations-center': OperationsCenter;
  readonly provider: Provider;
  readonly security: Security;
  readonly services: Services;
  readonly storage: Storage;
  readonly update: Update;
}

/** The name of a seed, which is its file's without the ending. */
export type SeedName = keyof SeedMessages;
