/** An ordinary file in a terminal's place, as an emulated machine has it: what was written since the last full screen. */
import { appendFileSync, writeFileSync } from 'node:fs';
import type { Size } from '../screen/frame.ts';
import type { Output } from './output.ts';

export class FileOutput implements Output {
  readonly busy = false;

  constructor(private readonly path: string) {}

  size(): Size {
    return { columns: 80, rows: 25 };
  }

  write(text: string, clears: boolean): void {
    if (clears) writeFileSync(this.path, text);
    else appendFileSync(this.path, text);
  }

  close(): void {
    // It isn't open between two writes.
  }
}
