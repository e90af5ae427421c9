/** The security section of a machine description. */
export interface SecuritySection {
  readonly placeholder?: never;
}

export function defaultSecurity(): SecuritySection {
  return {};
}
