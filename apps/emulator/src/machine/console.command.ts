/** `machine console`: what the screen of an emulated machine shows, as text. */
import { LocalFiles } from '@incusos/host';
import type { EmulatedMachine } from '@incusos/host-emulated';
import headless from '@xterm/headless';

/** The size that the console takes a file in a terminal's place for. */
const size = { cols: 80, rows: 25 };
const screen = '/root/dev/tty1';

/**
 * The screen's lines, without spaces at their ends.
 * @throws Error when the machine is off.
 */
export async function consoleText(machine: EmulatedMachine): Promise<string> {
  if (machine.read().system.power.state === 'off')
    throw new Error('the machine is off, and so is its screen; npm start switches it on');
  return shown(await new LocalFiles(machine.directory).readText(screen));
}

/** What a terminal shows that was sent these orders. */
export async function shown(orders: string): Promise<string> {
  const terminal = new headless.Terminal({ ...size, allowProposedApi: true, scrollback: 0 });
  await new Promise<void>((resolve) => terminal.write(orders, resolve));
  const buffer = terminal.buffer.active;
  const lines = Array.from(
    { length: size.rows },
    (_row, row) => buffer.getLine(row)?.translateToString(true) ?? '',
  );
  terminal.dispose();
  return lines.join('\n').trimEnd();
}
