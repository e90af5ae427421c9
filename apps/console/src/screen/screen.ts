/** Puts the parts of the screen together. */
import { body } from './body.ts';
import { footer } from './footer.ts';
import type { Frame, Size } from './frame.ts';
import { header } from './header.ts';
import { modal } from './modal.ts';
import type { View } from './view.ts';

/** Below that there is a header and the log, and nothing else. */
const smallest: Size = { columns: 40, rows: 12 };
/** How long one of several messages is on top. */
const turnMs = 1_000;

export function screen(view: View, size: Size): Frame {
  const { columns, rows } = size;
  const small = columns < smallest.columns || rows < smallest.rows;
  const bottom = small ? [] : footer(view, { columns, rows: Math.floor(rows / 2) });
  const room = { columns, rows: rows - 1 - bottom.length };
  const lines = [header(view, columns), ...body(view.log, view.timeZone, room), ...bottom].slice(0, rows);
  const { messages } = view;
  const turn = messages.length === 0 ? 0 : Math.floor(view.now.getTime() / turnMs) % messages.length;
  const message = messages[turn];
  if (message === undefined) return { lines };
  const place = messages.length === 1 ? '' : `${turn + 1}/${messages.length}`;
  const box = modal(message, place, room);
  // The bar on top stays visible.
  return box === undefined ? { lines } : { lines, box: { ...box, row: box.row + 1 } };
}
