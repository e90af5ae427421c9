/** What a screen shows at one moment, before it is turned into orders to a terminal. */

/** In characters. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Looks that every terminal has, the 16 colours of the Linux console included. */
export type Style =
  'plain' | 'quiet' | 'label' | 'warning' | 'error' | 'bar' | 'barStrong' | 'box' | 'boxStrong';

/** @see printable for what `text` may hold. */
export interface Span {
  readonly text: string;
  readonly style: Style;
}

export type Line = readonly Span[];

/** Lies on top of the lines. Each of its lines is as wide as it is. */
export interface Box {
  /** Of its upper left corner, from 0. */
  readonly row: number;
  readonly column: number;
  readonly lines: readonly Line[];
}

/** No line is wider than the screen, and there are exactly as many as it has rows. */
export interface Frame {
  readonly lines: readonly Line[];
  readonly box?: Box;
}

export function span(text: string, style: Style = 'plain'): Span {
  return { text, style };
}
