/** Times as a person gives them to systemd's tools (systemd.time(7), "Parsing Timestamps"); UTC is the local time. */

const units: Readonly<Record<string, number>> = {
  us: 1e-3,
  usec: 1e-3,
  ms: 1,
  msec: 1,
  '': 1000,
  s: 1000,
  sec: 1000,
  second: 1000,
  seconds: 1000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  minutes: 60_000,
  h: 3_600_000,
  hr: 3_600_000,
  hour: 3_600_000,
  hours: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
  days: 86_400_000,
  w: 604_800_000,
  week: 604_800_000,
  weeks: 604_800_000,
  M: 2_629_800_000,
  month: 2_629_800_000,
  months: 2_629_800_000,
  y: 31_557_600_000,
  year: 31_557_600_000,
  years: 31_557_600_000,
};

/** @returns milliseconds since the epoch; `undefined` when systemd would not understand it. */
export function parseTimestamp(text: string, now = Date.now()): number | undefined {
  const given = text.trim();
  const midnight = Math.floor(now / 86_400_000) * 86_400_000;
  const words: Readonly<Record<string, number>> = {
    now,
    today: midnight,
    yesterday: midnight - 86_400_000,
    tomorrow: midnight + 86_400_000,
  };
  const word = words[given];
  if (word !== undefined) return word;
  if (/^@\d+(\.\d+)?$/u.test(given)) return Number(given.slice(1)) * 1000;
  const relative = /^(?:([+-])(.+)|(.+?)\s+(ago|left))$/u.exec(given);
  if (relative !== null) {
    const span = parseSpan(relative[2] ?? relative[3] ?? '');
    const back = relative[1] === '-' || relative[4] === 'ago';
    return span === undefined ? undefined : now + (back ? -span : span);
  }
  const absolute =
    /^(?:[A-Za-z]{3,9}\s+)?(\d{2,4}-\d{1,2}-\d{1,2})?(?:[T\s]?(\d{1,2}:\d{1,2}(?::\d{1,2}(?:\.\d+)?)?))?\s*(UTC|Z|[+-]\d{2}:?\d{2})?$/u.exec(
      given,
    );
  if (absolute === null || (absolute[1] === undefined && absolute[2] === undefined)) return undefined;
  const [year = '', month = '', day = ''] = (absolute[1] ?? new Date(now).toISOString().slice(0, 10)).split(
    '-',
  );
  const [hours = '0', minutes = '0', seconds = '0'] = (absolute[2] ?? '0:0:0').split(':');
  const zone = absolute[3] === undefined || absolute[3] === 'UTC' ? 'Z' : absolute[3];
  const two = (value: string): string => value.padStart(2, '0');
  const [whole = '0', fraction = '0'] = seconds.split('.');
  const century = year.length === 2 ? `20${year}` : year;
  const time = Date.parse(
    `${century}-${two(month)}-${two(day)}T${two(hours)}:${two(minutes)}:${two(whole)}.${fraction.slice(0, 3).padEnd(3, '0')}${zone}`,
  );
  return Number.isNaN(time) ? undefined : time;
}

function parseSpan(text: string): number | undefined {
  const parts = [...text.matchAll(/\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)/gu)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== text) return undefined;
  let sum = 0;
  for (const [, amount = '0', unit = ''] of parts) {
    const factor = units[unit];
    if (factor === undefined) return undefined;
    sum += Number(amount) * factor;
  }
  return sum;
}
