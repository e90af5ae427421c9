/** What the storage service's parts are injected with. */

/** The `ExclusiveRunner` in which every change of the storage takes its turn. */
export const STORAGE_RUNNER = Symbol('storage-runner');
/** The service's `StateStore`. */
export const STORAGE_STATE = Symbol('storage-state');
/** The service's `Jobs`. */
export const JOBS = Symbol('jobs');
