/** The newest log lines, as many as there is room for. */
import { cut, pad, widthOf, wrap } from '../text/fit.ts';
import { printable } from '../text/printable.ts';
import { localTime } from './clock.ts';
import { type Line, type Size, span, type Style } from './frame.ts';
import type { LogLine } from './view.ts';

/** Columns of the time and of the service's name, with the space behind each. */
const timeColumns = 9;
const serviceColumns = 13;
/** What narrower screens have no room for. */
const roomForService = 60;
const roomForTime = 30;

const looks: Readonly<Record<LogLine['level'], Style>> = {
  debug: 'quiet',
  info: 'plain',
  warning: 'warning',
  error: 'error',
};

/** Exactly as many lines as there are rows; the newest entry is at the bottom as soon as they are full. */
export function body(log: readonly LogLine[], timeZone: string, { columns, rows }: Size): Line[] {
  const lines: Line[] = [];
  for (const entry of log.toReversed()) {
    if (lines.length >= rows) break;
    lines.unshift(...entryLines(entry, timeZone, columns));
  }
  const shown = rows > 0 ? lines.slice(-rows) : [];
  while (shown.length < rows) shown.push([]);
  return shown;
}

function entryLines({ at, service, level, text }: LogLine, timeZone: string, columns: number): Line[] {
  const look = looks[level];
  const time = columns < roomForTime ? '' : `${localTime(at, timeZone).slice(11)} `;
  const from = columns < roomForService ? '' : `${pad(printable(service), serviceColumns - 1)} `;
  const indent = time.length === 0 ? 0 : timeColumns + widthOf(from);
  const said = level === 'error' || level === 'warning' ? `${level}: ${printable(text)}` : printable(text);
  return wrap(said, columns - indent).map((part, index) => {
    const shown = span(cut(part, columns - indent), look);
    return index === 0
      ? [span(time, 'quiet'), span(from, 'label'), shown]
      : [span(' '.repeat(indent)), shown];
  });
}
