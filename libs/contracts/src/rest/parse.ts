/** Reads JSON text as a client sends it: integers of any size stay exact, and nothing in it can harm the reader. */

/** The text is not JSON, or JSON that is refused. The message is fit for the client and quotes nothing of the text. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
}

/** Limits of {@link parseRestJson}. */
export interface ParseLimits {
  /** How many arrays and objects may be within each other. */
  readonly maxDepth?: number;
}

const DEFAULT_MAX_DEPTH = 64;

/** Set on any object, this key changes what the object inherits. */
const FORBIDDEN_KEY = '__proto__';

/**
 * Parses JSON text. Integers that a `number` can't hold exactly come out as `bigint`.
 *
 * @throws {@link JsonError}
 */
export function parseRestJson(text: string, { maxDepth = DEFAULT_MAX_DEPTH }: ParseLimits = {}): unknown {
  if (isDeeperThan(text, maxDepth)) {
    throw new JsonError(`invalid JSON: nested more than ${maxDepth} levels deep`);
  }
  try {
    return needsCare(text) ? (JSON.parse(text, exact) as unknown) : (JSON.parse(text) as unknown);
  } catch (error) {
    if (error instanceof SyntaxError) throw new JsonError(describe(error, text));
    throw error;
  }
}

/** Only big numbers and escaped or suspicious keys need the reviver, which is several times slower. */
function needsCare(text: string): boolean {
  return /\d{16}|__proto__|\\u005f/i.test(text);
}

/** The type declarations don't have the third argument yet. */
function exact(key: string, value: unknown, context?: { source?: string }): unknown {
  if (key === FORBIDDEN_KEY) throw new JsonError(`invalid JSON: the key ${FORBIDDEN_KEY} is not allowed`);
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? '';
  // Longer ones fit no field, and are slow to convert.
  return /^-?\d{1,40}$/.test(source) ? BigInt(source) : value;
}

/** Counts brackets outside of strings; on text that isn't JSON the answer doesn't matter. */
function isDeeperThan(text: string, limit: number): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22: // "
        inString = !inString;
        break;
      case 0x5c: // \ hides the next character
        if (inString) i++;
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (!inString && ++depth > limit) return true;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        if (!inString) depth--;
        break;
      default:
    }
  }
  return false;
}

/** V8's own message quotes the text, which may hold a secret. */
function describe(error: SyntaxError, text: string): string {
  if (endsTooSoon(error, text)) return 'invalid JSON: unexpected end of text';
  const lines = text.slice(0, positionIn(error) ?? firstMistake(text)).split('\n');
  return `invalid JSON at line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`;
}

/** Whether nothing is wrong with a text but that it ends. */
function endsTooSoon(error: SyntaxError, text: string): boolean {
  return error.message.includes('end of JSON input') || positionIn(error) === text.length;
}

function positionIn(error: SyntaxError): number | undefined {
  const position = /at position (\d+)/.exec(error.message)?.[1];
  return position === undefined ? undefined : Number(position);
}

/** V8 says of some mistakes only what, not where: it is after the longest beginning that could still go on. */
function firstMistake(text: string): number {
  let fine = 0;
  let wrong = text.length;
  while (wrong - fine > 1) {
    const middle = Math.floor((fine + wrong) / 2);
    if (couldGoOn(text.slice(0, middle))) fine = middle;
    else wrong = middle;
  }
  return fine;
}

function couldGoOn(beginning: string): boolean {
  try {
    JSON.parse(beginning);
    return true;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return endsTooSoon(error, beginning);
  }
}
