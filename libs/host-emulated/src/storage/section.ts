/** The storage section of a machine description. */
export interface StorageSection {
  readonly placeholder?: never;
}

export function defaultStorage(): StorageSection {
  return {};
}
