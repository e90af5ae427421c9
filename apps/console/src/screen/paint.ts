/** Turns frames into orders to a terminal: those of ECMA-48 that the Linux console and every serial terminal know. */
import type { Frame, Line, Style } from './frame.ts';

const codes: Readonly<Record<Style, string>> = {
  plain: '0',
  quiet: '0;90',
  label: '0;36',
  warning: '0;1;33',
  error: '0;1;31',
  bar: '0;37;44',
  barStrong: '0;1;37;44',
  box: '0;37;44',
  boxStrong: '0;1;37;44',
};

const csi = '\u001B[';

/**
 * Undoes what others may have done to the terminal: character set (UTF-8, ASCII, not shifted), scrolling region, origin
 * and insert mode; long lines are cut instead of wrapped, and there is no cursor. console_codes(4)
 */
const settle = `\u001B%G\u001B(B\u000F${csi}r${csi}?6l${csi}4l${csi}?7l${csi}?25l`;

/** What each row of a frame takes to be drawn, from the top. Rows don't depend on each other. */
export function paint({ lines, box }: Frame): string[] {
  return lines.map((line, row) => {
    const own = `${at(row, 0)}${csi}0m${csi}K${styled(line)}`;
    const above = box?.lines[row - box.row];
    return box === undefined || above === undefined ? own : `${own}${at(row, box.column)}${styled(above)}`;
  });
}

/** The orders for a whole screen, whatever was on it. */
export function redrawn(rows: readonly string[]): string {
  return `${settle}${csi}0m${csi}2J${rows.join('')}`;
}

/** The orders for the rows that differ from those drawn `before`; empty when none does. */
export function changed(rows: readonly string[], before: readonly string[]): string {
  const differing = rows.filter((row, index) => row !== before[index]);
  return differing.length === 0 ? '' : `${settle}${differing.join('')}`;
}

function at(row: number, column: number): string {
  return `${csi}${row + 1};${column + 1}H`;
}

function styled(line: Line): string {
  return line.map(({ text, style }) => `${csi}${codes[style]}m${text}`).join('');
}
