/**
 * A terminal device.
 *
 * Invariants: what is typed there is read and dropped, is never shown and never stops the output (raw mode); a terminal
 * that takes nothing blocks nobody.
 */
import { constants, openSync } from 'node:fs';
import { ReadStream, WriteStream } from 'node:tty';
import type { Size } from '../screen/frame.ts';
import { type Output, usableSize } from './output.ts';

/** Never our controlling terminal, which would send us signals; an open serial line needs no partner. */
const flags = constants.O_NOCTTY | constants.O_NONBLOCK;

export class TtyOutput implements Output {
  /** Both directions of the device. A WriteStream of Node would block the process while the terminal is held. */
  private readonly stream: ReadStream;

  /**
   * @param fd the open device, which is closed with this.
   * @param lost called once when the device is gone.
   */
  constructor(
    private readonly path: string,
    fd: number,
    lost: () => void,
  ) {
    this.stream = new ReadStream(fd);
    this.stream.on('error', () => this.stream.destroy());
    this.stream.once('close', lost);
    this.stream.setRawMode(true);
    this.stream.resume();
  }

  size(): Size {
    const probe = new WriteStream(openSync(this.path, constants.O_WRONLY | flags));
    try {
      return usableSize(...probe.getWindowSize());
    } finally {
      probe.destroy();
    }
  }

  get busy(): boolean {
    return this.stream.writableLength > 0;
  }

  write(text: string): void {
    this.stream.write(text);
  }

  close(): void {
    this.stream.destroy();
  }
}

/** @throws Error with an errno when it can't be opened. */
export function openTty(path: string): number {
  return openSync(path, constants.O_RDWR | flags);
}
