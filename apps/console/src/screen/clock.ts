/** Times as the screen shows them. */

const formats = new Map<string, Intl.DateTimeFormat>();

/** `2026-11-20 08:00:12`, in the zone of that IANA name; in UTC when there is no such zone. */
export function localTime(at: Date, timeZone: string): string {
  // The Swedish form is the ISO one.
  return formatOf(timeZone).format(at);
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const format = makeFormat(timeZone);
  formats.set(timeZone, format);
  return format;
}

function makeFormat(timeZone: string): Intl.DateTimeFormat {
  const parts = { dateStyle: 'short', timeStyle: 'medium' } as const;
  try {
    return new Intl.DateTimeFormat('sv', { ...parts, timeZone });
  } catch {
    return new Intl.DateTimeFormat('sv', { ...parts, timeZone: 'UTC' });
  }
}
