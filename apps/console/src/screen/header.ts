/** The bar on top: who the machine is, what it runs, what time it is. */
import { cut, pad, widthOf } from '../text/fit.ts';
import { printable } from '../text/printable.ts';
import { localTime } from './clock.ts';
import { type Line, span } from './frame.ts';
import type { View } from './view.ts';

type HeaderView = Pick<View, 'hostname' | 'osName' | 'osVersion' | 'now' | 'timeZone'>;

/** The host name gives way first, then the time zone, then the date. */
export function header(view: HeaderView, columns: number): Line {
  const system = printable(`${view.osName} ${view.osVersion}`);
  const name = printable(view.hostname);
  const clock = clockIn(view, columns - widthOf(system) - 8);
  const room = columns - widthOf(system) - widthOf(clock) - 6;
  const shownName = name === '' || room < 4 ? '' : ` ${cut(name, room)} `;
  const left = cut(` ${system}`, columns - widthOf(shownName));
  const rest = columns - widthOf(shownName) - widthOf(left);
  const right = clock === '' || rest < widthOf(clock) + 2 ? '' : `${clock} `;
  return [
    span(shownName, 'barStrong'),
    span(pad(left, columns - widthOf(shownName) - widthOf(right)), 'bar'),
    span(right, 'bar'),
  ].filter(({ text }) => text !== '');
}

/** As much of date, time and zone as fits. */
function clockIn({ now, timeZone }: HeaderView, columns: number): string {
  const time = localTime(now, timeZone);
  const forms = [`${time} ${printable(timeZone)}`, time, time.slice(11)];
  return forms.find((form) => widthOf(form) <= columns) ?? '';
}
