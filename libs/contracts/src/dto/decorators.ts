/**
 * What the generated DTO classes say about their properties, and how a parsed body becomes their instance.
 *
 * A property may always be absent or `null`: what a request must contain is a rule of that request (see bodies.ts).
 * A message that concerns an element of a list or map begins with the element's place and a tab, `[2]\tmust be ...`,
 * since class-validator itself only knows the property.
 *
 * Instances are made here and not by class-transformer, which takes a key `constructor` or `then` in a client's object
 * for a class or a promise.
 */
import { IsObject, IsOptional, ValidateBy, ValidateNested, type ValidationArguments } from 'class-validator';
import { isPlainObject, scalarProblem } from '../rest/scalars.ts';
import type { ScalarType } from '../rest/structure.ts';

/** The type of a property that may be absent or `null`. */
export type Optional<T> = T | null;

type Constructor = new () => object;

/** How many more values may be converted. */
interface Budget {
  left: number;
}

/** Makes the value that is validated from the one that was sent. */
type Convert = (value: unknown, budget: Budget) => unknown;

/** A body has more values than {@link MAX_VALUES}. */
export class TooManyValuesError extends Error {
  override readonly name = 'TooManyValuesError';
}

/**
 * Far more values than any configuration has. class-validator takes kilobytes for each, so that a body of a few
 * megabytes could take all memory.
 */
const MAX_VALUES = 20_000;

/** The properties of each class. */
const propertiesOf = new WeakMap<object, Map<string, Convert>>();

/**
 * An instance of a DTO class with those of its properties that a parsed object has.
 *
 * @throws {@link TooManyValuesError}
 */
export function instantiate(
  dtoClass: Constructor,
  object: Readonly<Record<string, unknown>>,
  budget: Budget = { left: MAX_VALUES },
): object {
  const instance = new dtoClass();
  for (const [name, convert] of propertiesOf.get(dtoClass) ?? []) {
    if (!Object.hasOwn(object, name)) continue;
    spend(budget, 1);
    Object.assign(instance, { [name]: convert(object[name], budget) });
  }
  return instance;
}

function spend(budget: Budget, values: number): void {
  budget.left -= values;
  if (budget.left < 0) throw new TooManyValuesError(`has more than ${MAX_VALUES} values`);
}

function property(convert: Convert, ...validators: readonly PropertyDecorator[]): PropertyDecorator {
  return (prototype, name) => {
    IsOptional()(prototype, name);
    for (const validate of validators) validate(prototype, name);
    const known = propertiesOf.get(prototype.constructor) ?? new Map<string, Convert>();
    propertiesOf.set(prototype.constructor, known.set(String(name), convert));
  };
}

/** Turns "what is wrong" into a class-validator decorator. */
function hasNo(name: string, problem: (value: unknown) => string | undefined): PropertyDecorator {
  return ValidateBy({
    name,
    validator: {
      validate: (value: unknown) => problem(value) === undefined,
      defaultMessage: (args?: ValidationArguments) => problem(args?.value) ?? '',
    },
  });
}

function listProblem(type: ScalarType, value: unknown): string | undefined {
  if (!Array.isArray(value)) return 'must be a list';
  return firstProblem(
    type,
    value.map((element, index) => [`[${index}]`, element]),
  );
}

function mapProblem(type: ScalarType, value: unknown): string | undefined {
  if (!(value instanceof Map)) return 'must be an object';
  const elements = [...(value as Map<string, unknown>)];
  return firstProblem(
    type,
    elements.map(([key, element]) => [`.${key}`, element]),
  );
}

function firstProblem(
  type: ScalarType,
  elements: readonly (readonly [place: string, element: unknown])[],
): string | undefined {
  for (const [place, element] of elements) {
    const problem = scalarProblem(type, element);
    if (problem !== undefined) return `${place}\t${problem}`;
  }
  return undefined;
}

const unchanged: Convert = (value) => value;

function toInstance(type: () => Constructor): Convert {
  return (value, budget) => (isPlainObject(value) ? instantiate(type(), value, budget) : value);
}

function toList(convert: Convert): Convert {
  return (value, budget) => {
    if (!Array.isArray(value)) return value;
    spend(budget, value.length);
    return value.map((element) => convert(element, budget));
  };
}

/** class-validator looks into a Map, but not into the values of an object. */
function toMap(convert: Convert): Convert {
  return (value, budget) => {
    if (!isPlainObject(value)) return value;
    const entries = Object.entries(value);
    spend(budget, entries.length);
    return new Map(entries.map(([key, element]) => [key, convert(element, budget)]));
  };
}

/** A string, boolean, number or free JSON. */
export function Scalar(type: ScalarType): PropertyDecorator {
  return property(
    unchanged,
    hasNo(type, (value) => scalarProblem(type, value)),
  );
}

/** A list of scalars. */
export function ScalarList(type: ScalarType): PropertyDecorator {
  return property(
    toList(unchanged),
    hasNo('list', (value) => listProblem(type, value)),
  );
}

/** An object whose values are scalars. */
export function ScalarMap(type: ScalarType): PropertyDecorator {
  return property(
    toMap(unchanged),
    hasNo('map', (value) => mapProblem(type, value)),
  );
}

/** An object with a class of its own. */
export function Nested(type: () => Constructor): PropertyDecorator {
  return property(toInstance(type), IsObject({ message: 'must be an object' }), ValidateNested());
}

/** A list of objects with a class of their own. */
export function NestedList(type: () => Constructor): PropertyDecorator {
  return property(
    toList(toInstance(type)),
    hasNo('list', (value) => listProblem('object', value)),
    ValidateNested({ each: true }),
  );
}

/** An object whose values are objects with a class of their own. */
export function NestedMap(type: () => Constructor): PropertyDecorator {
  return property(
    toMap(toInstance(type)),
    hasNo('map', (value) => mapProblem('object', value)),
    ValidateNested({ each: true }),
  );
}
