/** Reads values from a tool's JSON without trusting its shape. */

export type JsonObject = Readonly<Record<string, unknown>>;

/** @throws Error naming `source` when the text is no JSON. */
export function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text === '' ? 'null' : text) as unknown;
  } catch (error) {
    throw new Error(`${source} gave no valid JSON`, { cause: error });
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The objects of a list; empty for anything else. iproute2 prints `{}` for what it leaves out. */
export function objects(value: unknown): JsonObject[] {
  return Array.isArray(value)
    ? value.filter((one): one is JsonObject => isObject(one) && Object.keys(one).length > 0)
    : [];
}

export function text(object: JsonObject, key: string): string | undefined {
  const value = object[key];
  return typeof value === 'string' ? value : undefined;
}

export function number(object: JsonObject, key: string): number | undefined {
  const value = object[key];
  return typeof value === 'number' ? value : undefined;
}

export function strings(object: JsonObject, key: string): string[] {
  const value = object[key];
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
