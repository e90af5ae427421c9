/**
 * The envelope around every JSON reply. Metadata arrives here as JSON text, written by the structure's own encoder, so
 * that a reply is put together by concatenation.
 */

const successHead =
  '{"type":"sync","status":"Success","status_code":200,"operation":"","error_code":0,"error":"","metadata":';

/** A successful reply with `metadata` (JSON text) as its result. */
export function success(metadata: string): string {
  return `${successHead}${metadata}}`;
}

/** The reply of an action that has nothing to tell. */
export const done = success('{}');

/** A failed reply; `code` is also its HTTP status. */
export function failure(code: number, message: string): string {
  return `{"type":"error","status":"","status_code":0,"operation":"","error_code":${code},"error":${JSON.stringify(message)},"metadata":null}`;
}

/** A successful reply whose metadata is a list that is sent while it is made; each item is JSON text. */
export async function* successList(items: AsyncIterable<string>): AsyncGenerator<string> {
  yield `${successHead}[`;
  let separator = '';
  for await (const item of items) {
    yield separator + item;
    separator = ',';
  }
  yield ']}';
}
