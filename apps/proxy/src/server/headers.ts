/** The header fields of messages that pass through (RFC 9110 section 7.6). */

/** Of one connection, and never passed on. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * The fields to pass on.
 * @param raw names and values in turn, as Node has them.
 */
export function forwarded(raw: readonly string[]): string[] {
  const named = pairs(raw)
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.split(',').map((token) => token.trim().toLowerCase()));
  const dropped = new Set([...hopByHop, ...named]);
  return pairs(raw)
    .filter(([name]) => !dropped.has(name.toLowerCase()))
    .flat();
}

/** The values of a field. */
export function valuesOf(raw: readonly string[], field: string): string[] {
  return pairs(raw)
    .filter(([name]) => name.toLowerCase() === field)
    .map(([, value]) => value);
}

function pairs(raw: readonly string[]): [name: string, value: string][] {
  const found: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2)
    found.push([raw[index] ?? '', raw[index + 1] ?? '']);
  return found;
}
