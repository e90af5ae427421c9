/** One of the machine's terminals: draws what changed, and finds its device again when it was gone. */
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { isatty } from 'node:tty';
import { type Logger, reasonOf } from '@incusos/service';
import type { Frame, Size } from '../screen/frame.ts';
import { changed, paint, redrawn } from '../screen/paint.ts';
import { deviceDirectory } from './device-directory.ts';
import { FileOutput } from './file-output.ts';
import type { Output } from './output.ts';
import { openTty, TtyOutput } from './tty-output.ts';

export class Terminal {
  private output: Output | undefined;
  /** What is on the screen; undefined when that isn't known. */
  private drawn: { readonly rows: readonly string[]; readonly size: Size } | undefined;
  private problem = '';

  /** @param name of the device, such as `tty1`. */
  constructor(
    readonly name: string,
    private readonly logger: Logger,
  ) {}

  /**
   * Draws a frame. A terminal that is still busy with the one before, or isn't there, is left alone.
   * @param everything whether to draw also what should be there already.
   */
  draw(frameFor: (size: Size) => Frame, everything: boolean): void {
    try {
      this.output ??= this.open();
      if (this.output.busy) return;
      const size = this.output.size();
      const rows = paint(frameFor(size));
      const before = this.drawn;
      const whole =
        everything ||
        before === undefined ||
        before.size.columns !== size.columns ||
        before.size.rows !== size.rows;
      const text = whole ? redrawn(rows) : changed(rows, before.rows);
      if (text !== '') this.output.write(text, whole);
      this.drawn = { rows, size };
      this.problem = '';
    } catch (error) {
      this.report(reasonOf(error));
      this.close();
    }
  }

  close(): void {
    this.output?.close();
    this.forget();
  }

  private open(): Output {
    const path = join(deviceDirectory(), this.name);
    const fd = openTty(path);
    if (!isatty(fd)) {
      closeSync(fd);
      return new FileOutput(path);
    }
    try {
      const output = new TtyOutput(path, fd, () => {
        // Another one may have taken its place meanwhile.
        if (this.output === output) this.forget();
      });
      return output;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  private forget(): void {
    this.output = undefined;
    this.drawn = undefined;
  }

  /** Once, not with every try. */
  private report(problem: string): void {
    if (problem === this.problem) return;
    this.problem = problem;
    this.logger.warn('a console cannot be used', { device: this.name, error: problem });
  }
}
