/**
 * Text and the columns of a terminal. All texts are {@link printable} ones.
 *
 * Each character is measured alone, as the Linux console draws it: what other terminals join to one picture takes the
 * room of all its parts there, so libraries that measure joined pictures measure too little.
 */
import { eastAsianWidth } from 'get-east-asian-width';

/** The font of the Linux console has no ellipsis in one character. */
const ellipsis = '...';
/** One column each. */
const simple = /^[ -~]*$/u;

/** Columns that a text takes. */
export function widthOf(text: string): number {
  if (simple.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += widthOfCharacter(character);
  return width;
}

function widthOfCharacter(character: string): number {
  return eastAsianWidth(character.codePointAt(0) ?? 0);
}

/** The text, cut so that it takes at most `columns`; dots say that it was cut. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  const dots = columns > ellipsis.length * 2 ? ellipsis : '';
  return beginning(text, columns - dots.length) + dots;
}

/** As many characters as fit. */
function beginning(text: string, columns: number): string {
  let end = 0;
  let width = 0;
  for (const character of text) {
    width += widthOfCharacter(character);
    if (width > columns) break;
    end += character.length;
  }
  return text.slice(0, end);
}

/** The text in exactly `columns`: cut, or with spaces behind it. */
export function pad(text: string, columns: number): string {
  const shown = cut(text, columns);
  return shown + ' '.repeat(Math.max(0, columns - widthOf(shown)));
}

/** The text in lines of at most `columns`, which are at least two; broken between words where that is possible. */
export function wrap(text: string, columns: number): string[] {
  const width = Math.max(2, columns);
  const lines: string[] = [];
  let rest = text.trim();
  while (widthOf(rest) > width) {
    const fits = beginning(rest, width);
    // A line that ends exactly at the end of a word needs no space in it.
    const space = rest[fits.length] === ' ' ? fits.length : fits.lastIndexOf(' ');
    const end = space > 0 ? space : fits.length;
    lines.push(rest.slice(0, end).trimEnd());
    rest = rest.slice(end).trimStart();
  }
  return [...lines, rest];
}
