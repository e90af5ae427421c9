/** A message in a box in the middle of the screen. */
import { cut, pad, widthOf, wrap } from '../text/fit.ts';
import { printable } from '../text/printable.ts';
import { type Box, type Line, type Size, span } from './frame.ts';
import type { Message } from './view.ts';

const widest = 72;
/** Smaller ones have no room for a border. */
const narrowest = 20;
/** Above and below the text: a border, and an empty line. */
const borders = 4;

/**
 * @param place of it among all messages, such as `2/3`; empty when it is the only one.
 * @returns none when the screen is too small for it.
 */
export function modal(message: Message, place: string, { columns, rows }: Size): Box | undefined {
  const width = Math.min(widest, columns - 4);
  const bar = message.progress === undefined ? 0 : 2;
  const room = rows - borders - bar;
  if (width < narrowest || room < 1) return undefined;
  const inner = width - 4;
  const texts = wrap(printable(message.text), inner).slice(0, room);
  const progress = message.progress === undefined ? [] : ['', progressBar(message.progress, inner)];
  const lines: Line[] = [
    top(message.title, place, width),
    ...['', ...texts, ...progress, ''].map((text): Line => [span(`│ ${pad(text, inner)} │`, 'box')]),
    [span(`└${'─'.repeat(width - 2)}┘`, 'box')],
  ];
  return {
    row: Math.max(0, Math.floor((rows - lines.length) / 2)),
    column: Math.floor((columns - width) / 2),
    lines,
  };
}

function top(title: string, place: string, width: number): Line {
  const tail = place === '' ? '─┐' : ` ${place} ─┐`;
  const heading = ` ${cut(printable(title), width - 6 - tail.length)} `;
  const rule = '─'.repeat(Math.max(0, width - 2 - tail.length - widthOf(heading)));
  return [span('┌─', 'box'), span(heading, 'boxStrong'), span(`${rule}${tail}`, 'box')];
}

/** @param percent 0..100 */
export function progressBar(percent: number, columns: number): string {
  const done = Math.min(100, Math.max(0, percent));
  const label = `${Math.floor(done)} %`.padStart(6);
  const width = Math.max(1, columns - label.length);
  const full = Math.floor((done / 100) * width);
  return `${'█'.repeat(full)}${'░'.repeat(width - full)}${label}`;
}
