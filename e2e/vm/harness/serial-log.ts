/** The serial console of a machine, as text. */
import { existsSync, readFileSync } from 'node:fs';

/** What terminals take as orders (ECMA-48), and what systemd breaks its status lines with. */
const orders = /\u001B(?:\[[0-9:;?=]*[ -/]*[@-~]|[@-_])/gu;

/** The text of a console log without orders to the terminal and empty lines. */
export function plainConsole(text: string): string {
  return text
    .replaceAll(orders, '')
    .replaceAll('\r', '')
    .replaceAll(/\n{2,}/gu, '\n');
}

export class SerialLog {
  private readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** How much there is now, for a later {@link text}. */
  get length(): number {
    return this.raw().length;
  }

  /** What came after the first `from` characters. */
  text(from = 0): string {
    return plainConsole(Buffer.from(this.raw().slice(from), 'latin1').toString());
  }

  /** One character for each byte, so that lengths stay true when a sign isn't there completely. */
  private raw(): string {
    return existsSync(this.path) ? readFileSync(this.path, 'latin1') : '';
  }
}
