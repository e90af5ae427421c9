/** What a terminal is behind its device file. */
import type { Size } from '../screen/frame.ts';

export interface Output {
  /** Looked up anew each time: a virtual terminal grows when a graphics driver takes over from the firmware. */
  size(): Size;
  /** Whether it still has something to write; a terminal may be slow, or held by its user. */
  readonly busy: boolean;
  /** @param clears whether the text draws everything, whatever was there. */
  write(text: string, clears: boolean): void;
  close(): void;
}

/** Of a terminal that doesn't know its own; serial lines never do. */
const usual: Size = { columns: 80, rows: 24 };
/** What nobody has; a size is also memory. */
const largest: Size = { columns: 500, rows: 200 };

/** A size that can be drawn to. */
export function usableSize(columns: number | undefined, rows: number | undefined): Size {
  return {
    columns: Math.min(largest.columns, columns === undefined || columns < 1 ? usual.columns : columns),
    rows: Math.min(largest.rows, rows === undefined || rows < 1 ? usual.rows : rows),
  };
}
