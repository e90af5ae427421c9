/**
 * The description of a REST structure, from which it is written and read.
 *
 * Structures are generated from proto/ (see tools/rest-tables.ts); nothing here knows any of them.
 */

/** Value types that a field can have besides another structure. `value` and `object` are free JSON. */
export type ScalarType =
  'string' | 'bool' | 'int32' | 'uint32' | 'int64' | 'uint64' | 'double' | 'value' | 'object';

/** `optional` is a scalar whose absence is kept apart from its zero value. */
export type Label = 'one' | 'optional' | 'list' | 'map';

/**
 * How an empty value is written: key left out, `null`, `[]` or `{}`, the zero value, or the timestamp that was never
 * set. A value is empty when it is absent, and also when it is zero (scalars) or has no elements (lists, maps).
 */
export type Empty = 'omit' | 'null' | 'literal' | 'zero' | 'zero-time';

/** One field of a structure. */
export interface Field {
  /** The message's property. */
  readonly name: string;
  /** The JSON key. */
  readonly key: string;
  readonly type: ScalarType | Structure;
  readonly label: Label;
  readonly empty: Empty;
  /** Recomputed by the appliance and never part of its saved state. */
  readonly volatile: boolean;
  /** On input an integer is taken as its decimal text. */
  readonly integerAsText: boolean;
}

/** A field as the generated tables hold it. The property's name is also its key unless `key` is given. */
export type FieldRow = readonly [
  name: string,
  type: ScalarType | Structure,
  label: Label,
  empty: Empty,
  extra?: { readonly key?: string; readonly volatile?: true; readonly integerAsText?: true },
];

/** A REST structure whose message has the TypeScript type `T`. */
export class Structure<T extends object = object> {
  /** Full proto name, e.g. `incusos.network.v1.SystemNetwork`. */
  readonly name: string;
  /** Carries `T`, never set. */
  declare readonly message: T;
  #rows: (() => readonly FieldRow[]) | undefined;
  #fields: readonly Field[] = [];

  /** @param rows - called once, when the fields are first needed, since structures refer to each other */
  constructor(name: string, rows: () => readonly FieldRow[]) {
    this.name = name;
    this.#rows = rows;
  }

  /** The fields in the order in which they are written. */
  get fields(): readonly Field[] {
    if (this.#rows !== undefined) {
      this.#fields = this.#rows().map(([name, type, label, empty, extra]) => ({
        name,
        key: extra?.key ?? name,
        type,
        label,
        empty,
        volatile: extra?.volatile ?? false,
        integerAsText: extra?.integerAsText ?? false,
      }));
      this.#rows = undefined;
    }
    return this.#fields;
  }
}

/** The timestamp of what never happened. */
export const ZERO_TIME = '0001-01-01T00:00:00Z';
