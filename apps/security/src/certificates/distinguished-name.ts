/**
 * Names in certificates as text, in the form and order that clients of the API know: RFC 2253, most specific first,
 * such as `CN=Microsoft Windows Production PCA 2011,O=Microsoft Corporation,C=US`.
 */

/** OpenSSL's short names in the order of the text, and what the text calls them. */
const known = new Map([
  ['serialNumber', 'SERIALNUMBER'],
  ['CN', 'CN'],
  ['postalCode', 'POSTALCODE'],
  ['street', 'STREET'],
  ['ST', 'ST'],
  ['L', 'L'],
  ['OU', 'OU'],
  ['O', 'O'],
  ['C', 'C'],
]);

/** @param name attributes by OpenSSL's short names, as `X509Certificate.toLegacyObject` has them. */
export function formatDistinguishedName(name: object): string {
  const attributes = Object.entries(name as Record<string, unknown>);
  const others = attributes.filter(([key]) => !known.has(key)).toReversed();
  const ordered = [...known.keys()].flatMap((key) => attributes.filter(([attribute]) => attribute === key));
  return [...others, ...ordered]
    .map(([key, value]) =>
      valuesOf(value)
        .map((text) => `${known.get(key) ?? key}=${escape(text)}`)
        .join('+'),
    )
    .filter((part) => part !== '')
    .join(',');
}

function valuesOf(value: unknown): string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((item) => typeof item === 'string');
}

/** RFC 2253, 2.4. */
function escape(text: string): string {
  return text.replaceAll(/[,+"\\<>;]|^[ #]| $/gu, String.raw`\$&`);
}
