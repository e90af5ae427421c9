/** All terminals that show the screen. */
import { LOGGER, type Logger } from '@incusos/service';
import { Inject, Injectable } from '@nestjs/common';
import type { Frame, Size } from '../screen/frame.ts';
import { Terminal } from './terminal.ts';

/** The screen itself, which is there before anyone can say what else is. */
const first = 'tty1';
/** A name of a device and not a way out of the devices' directory. */
const deviceName = /^[A-Za-z0-9_-]{1,64}$/u;

@Injectable()
export class Terminals {
  private readonly open = new Map<string, Terminal>();

  constructor(@Inject(LOGGER) private readonly logger: Logger) {
    this.use([first]);
  }

  /** Shows the screen on these devices from now on, and on no others. */
  use(names: readonly string[]): void {
    const wanted = new Set(names.filter((name) => deviceName.test(name)));
    for (const [name, terminal] of this.open) {
      if (wanted.has(name)) continue;
      terminal.close();
      this.open.delete(name);
    }
    for (const name of wanted) {
      if (!this.open.has(name)) this.open.set(name, new Terminal(name, this.logger));
    }
  }

  draw(frameFor: (size: Size) => Frame, everything: boolean): void {
    for (const terminal of this.open.values()) terminal.draw(frameFor, everything);
  }

  close(): void {
    for (const terminal of this.open.values()) terminal.close();
  }
}
