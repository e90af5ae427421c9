/** A machine as a person describes it: what they leave out is the default machine's, what can't be is told by its path. */
import { defaultMachine, parseMachine } from './machine-file.ts';
import type { Machine } from './machine.ts';

/**
 * Reads a person's description of a machine (JSON).
 * @throws Error naming the first setting that is unknown or of the wrong type, such as `network.nics`.
 */
export function describedMachine(text: string): Machine {
  let described: unknown;
  try {
    described = JSON.parse(text);
  } catch (error) {
    throw new Error(`it is not JSON: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  for (const problem of problems(defaultMachine(), described, '')) throw new Error(problem);
  return parseMachine(text);
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (value === null) return 'null';
  return (
    { object: 'an object', string: 'a string', number: 'a number', boolean: 'true or false' }[
      typeof value as string
    ] ?? 'nothing'
  );
}

/** Compares a description with the default machine, whose settings show what each may be. */
function* problems(model: unknown, described: unknown, path: string): Generator<string> {
  const name = path === '' ? 'the description' : path;
  if (kindOf(model) !== kindOf(described)) {
    yield `${name} must be ${kindOf(model)}, not ${kindOf(described)}`;
  } else if (Array.isArray(model) && Array.isArray(described)) {
    // The default machine's first one shows what the others are made of.
    const [element] = model as unknown[];
    if (element === undefined) return;
    for (const [index, value] of described.entries())
      yield* elementProblems(element, value, `${name}[${index}]`);
  } else if (isRecord(model) && isRecord(described)) {
    // Without members it is a table whose keys are names.
    if (Object.keys(model).length === 0) return;
    for (const [key, value] of Object.entries(described)) {
      const place = path === '' ? key : `${path}.${key}`;
      if (key in model) yield* problems(model[key], value, place);
      else if (path === '' || !path.includes('.')) yield `${place} is not a known setting`;
    }
  }
}

/** An element may leave settings out and have others than the default one; those that both have agree in type. */
function* elementProblems(model: unknown, described: unknown, path: string): Generator<string> {
  if (kindOf(model) !== kindOf(described)) yield `${path} must be ${kindOf(model)}, not ${kindOf(described)}`;
  if (!isRecord(model) || !isRecord(described)) return;
  for (const [key, value] of Object.entries(described)) {
    const known = model[key];
    if (known !== undefined && known !== null) yield* problems(known, value, `${path}.${key}`);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
