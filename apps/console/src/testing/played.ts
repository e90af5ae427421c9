/** What a terminal shows that was sent orders: a terminal emulator stands in for the machine's screen. */
import headless from '@xterm/headless';
import type { Size } from '../screen/frame.ts';

/** The rows of the screen, without spaces at their ends. */
export async function played(orders: string, { columns, rows }: Size): Promise<string[]> {
  const terminal = new headless.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 1_000 });
  await new Promise<void>((resolve) => terminal.write(orders, resolve));
  const { active } = terminal.buffer;
  const shown = Array.from(
    { length: active.length },
    (_row, row) => active.getLine(row)?.translateToString(true) ?? '',
  );
  terminal.dispose();
  return shown;
}
