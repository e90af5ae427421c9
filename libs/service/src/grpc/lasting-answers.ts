/**
 * Answers that are given again and again: encoded once by who gives them, decoded once by who gets them.
 *
 * Invariant: nobody changes such an answer, neither who gave it nor who got it.
 */

const encodings = new WeakMap<object, Buffer | 'later'>();

/** Says of an answer that the very same object is going to be given again, and will not have changed. */
export function lasting<A extends object>(answer: A): A {
  if (!encodings.has(answer)) encodings.set(answer, 'later');
  return answer;
}

/** The bytes of an answer, of one that lasts those of the first time. */
export function encode(answer: unknown, serialize: (answer: never) => Buffer): Buffer {
  if (typeof answer !== 'object' || answer === null) return serialize(answer as never);
  const known = encodings.get(answer);
  if (known !== undefined && known !== 'later') return known;
  const bytes = serialize(answer as never);
  if (known === 'later') encodings.set(answer, bytes);
  return bytes;
}

/** Reads answers; one with the bytes of the one before is the same object. */
export function rememberingLast(deserialize: (bytes: Buffer) => unknown): (bytes: Buffer) => unknown {
  let last: { readonly bytes: Buffer; readonly answer: unknown } | undefined;
  return (bytes) => {
    if (last?.bytes.equals(bytes) !== true) last = { bytes, answer: deserialize(bytes) };
    return last.answer;
  };
}
