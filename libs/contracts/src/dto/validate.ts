/** Turns a request's body into the message it stands for, or says everything that is wrong with it. */
import { validateSync, type ValidationError } from 'class-validator';
import { FieldError, fromRest } from '../rest/decode.ts';
import { instantiate, TooManyValuesError } from './decorators.ts';
import type { Structure } from '../rest/structure.ts';
import { isPlainObject } from '../rest/scalars.ts';

/** One thing that is wrong with a body. */
export interface Violation {
  /** Path of the field, e.g. `config.interfaces[0].mtu`; empty for the body as a whole. */
  readonly field: string;
  /** What is wrong, e.g. `must be an integer`. */
  readonly reason: string;
  /** A sentence for the client: the contract's own text where it has one, else field and reason. */
  readonly text: string;
}

/** A rule that a request must keep, with the text the contract gives it. */
export type Rule<T> = (body: T) => { readonly field: string; readonly text: string } | undefined;

/** What a request's body must be. */
export interface Body<T extends object> {
  readonly dto: new () => object;
  readonly structure: Structure<T>;
  /** Asked in order once the types are right; the first that is broken counts. */
  readonly rules: readonly Rule<T>[];
}

/** Outcome of {@link validateBody}. */
export type Validated<T> =
  | { readonly valid: true; readonly message: T }
  | { readonly valid: false; readonly violations: readonly [Violation, ...Violation[]] };

/** More than these help nobody. */
const MAX_VIOLATIONS = 20;

/**
 * Checks a parsed body and converts it. Keys that the body doesn't have are ignored.
 *
 * @param value - from `parseRestJson`
 */
export function validateBody<T extends object>(body: Body<T>, value: unknown): Validated<T> {
  if (!isPlainObject(value)) return invalid([typeViolation('', 'must be an object')]);
  let instance: object;
  try {
    instance = instantiate(body.dto, value);
  } catch (error) {
    if (error instanceof TooManyValuesError) return invalid([typeViolation('', error.message)]);
    throw error;
  }
  const errors = validateSync(instance, { forbidUnknownValues: false, validationError: { target: false } });
  const [first, ...others] = errors.flatMap((error) => violationsOf(error, pathOf(error, '')));
  if (first !== undefined) return invalid([first, ...others.slice(0, MAX_VIOLATIONS - 1)]);
  let message: T;
  try {
    message = fromRest(body.structure, value);
  } catch (error) {
    if (error instanceof FieldError) return invalid([typeViolation(error.field, error.reason)]);
    throw error;
  }
  for (const rule of body.rules) {
    const broken = rule(message);
    if (broken) return invalid([{ field: broken.field, reason: broken.text, text: broken.text }]);
  }
  return { valid: true, message };
}

function invalid<T>(violations: readonly [Violation, ...Violation[]]): Validated<T> {
  return { valid: false, violations };
}

function typeViolation(field: string, reason: string): Violation {
  return { field, reason, text: `${field === '' ? 'request body' : field}: ${reason}` };
}

/**
 * class-validator reports a tree. A node's own message goes first; where it is about an element of a list or map, the
 * other elements may have errors of their own.
 */
function violationsOf(error: ValidationError, path: string): Violation[] {
  // `nestedValidation` only repeats what the decorators say about a value that isn't an object.
  const own = Object.entries(error.constraints ?? {}).find(([name]) => name !== 'nestedValidation')?.[1];
  // A key may contain a tab, a reason doesn't.
  const tab = own?.lastIndexOf('\t') ?? -1;
  const violations =
    own === undefined ? [] : [typeViolation(path + own.slice(0, Math.max(tab, 0)), own.slice(tab + 1))];
  if (own !== undefined && tab < 0) return violations;
  const children = (error.children ?? []).filter(
    (child) => isPlainObject(child.value) || !hasElements(error.value),
  );
  return [
    ...violations,
    ...children.flatMap((child) => violationsOf(child, pathOf(child, path, error.value))),
  ];
}

function pathOf(error: ValidationError, parent: string, holder?: unknown): string {
  if (Array.isArray(holder)) return `${parent}[${error.property}]`;
  return parent === '' ? error.property : `${parent}.${error.property}`;
}

/** Whether what is in a value are its elements rather than its properties. */
function hasElements(holder: unknown): boolean {
  return Array.isArray(holder) || holder instanceof Map;
}
