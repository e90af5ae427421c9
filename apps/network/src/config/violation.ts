/** What is wrong with a configuration, in the contract's words, and where. */

export interface Violation {
  /** Path of the field from the request's root, such as `config.interfaces[0].mtu`. */
  readonly field: string;
  /** The whole sentence, with the prefix of its kind and index. */
  readonly message: string;
}

/**
 * What a check yields. The loose pass accepts a device name where the strict one, after names were resolved,
 * wants a MAC.
 */
export type Violations = Iterable<Violation>;

export type Pass = 'loose' | 'strict';

/** One entry of a list: the path of its fields and the prefix of its messages, such as `interface 0 `. */
export interface Place {
  readonly field: string;
  readonly prefix: string;
}

export function at(place: Place, field: string, message: string): Violation {
  return { field: `${place.field}.${field}`, message: `${place.prefix}${message}` };
}
