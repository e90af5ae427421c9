/** The network section of a machine description. */
export interface NetworkSection {
  readonly placeholder?: never;
}

export function defaultNetwork(): NetworkSection {
  return {};
}
