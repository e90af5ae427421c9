/** The system section of a machine description. */
export interface SystemSection {
  readonly placeholder?: never;
}

export function defaultSystem(): SystemSection {
  return {};
}
