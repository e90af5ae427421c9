import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { plainConsole } from '../harness/serial-log.ts';

/** Reads the log of a serial port as it grows, as text without orders to a terminal. */
export class SerialReader {
  private readonly path: string;
  private at = 0;
  /** The line that has no end yet; an order to the terminal may be cut in it. */
  private rest: Buffer = Buffer.alloc(0);

  constructor(path: string) {
    this.path = path;
  }

  /** The lines that came since the last call. A log that became shorter is one of a machine that was switched on anew. */
  next(): string {
    if (!existsSync(this.path)) {
      this.restart();
      return '';
    }
    const file = openSync(this.path, 'r');
    try {
      const { size } = fstatSync(file);
      if (size < this.at) this.restart();
      const bytes = Buffer.alloc(size - this.at);
      this.at += readSync(file, bytes, 0, bytes.length, this.at);
      const all = Buffer.concat([this.rest, bytes]);
      const end = all.lastIndexOf(0x0a) + 1;
      this.rest = all.subarray(end);
      return plainConsole(all.toString('utf8', 0, end));
    } finally {
      closeSync(file);
    }
  }

  private restart(): void {
    this.at = 0;
    this.rest = Buffer.alloc(0);
  }
}
