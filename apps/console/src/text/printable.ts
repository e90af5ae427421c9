/**
 * Makes text from anywhere fit to be shown on a terminal.
 *
 * Invariant: the result is one line in which no character controls the terminal, changes the direction of others, or
 * takes no place of its own. Whoever can write a log line can't write to the terminal.
 */

/** UTF-16 units of one text; what is longer says nothing on a screen. */
const longest = 2_000;

const lineBreak = /[\t-\r\u0085\u2028\u2029]+/gu;
/** Those of C0, DEL and C1: a terminal takes some of C1 for the start of an order as well (ECMA-48). */
const control = /\p{Cc}/gu;
/** Joiners, marks of direction, combining marks, and what no font has: unassigned and private characters. */
const placeless = /[\p{Cf}\p{M}\p{Cn}\p{Co}\p{Cs}]/gu;

export function printable(text: string): string {
  return text
    .slice(0, longest)
    .toWellFormed()
    .normalize('NFC')
    .replaceAll(lineBreak, ' ')
    .replaceAll(control, escaped)
    .replaceAll(placeless, '')
    .replaceAll(/\p{Zs}/gu, ' ')
    .trimEnd();
}

/** Shown as `\x1b`, so that who reads it sees what was there. */
function escaped(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
