/** Injects the `ExclusiveRunner` in which every change of the storage takes its turn. */
export const STORAGE_RUNNER = Symbol('storage-runner');
