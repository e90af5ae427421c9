import { type Host, openHost, type ProgramStream } from '@incusos/host';
import { createLogger } from '@incusos/service';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { screen } from '../screen/screen.ts';
import { someView } from '../testing/some-view.ts';
import { Terminal } from './terminal.ts';

/** A terminal of the kernel, which script(1) makes and hands on what is written to it. */
describe('a terminal', () => {
  let host: Host;
  let script: ProgramStream;
  let output = '';
  let terminal: Terminal;

  beforeEach(async () => {
    output = '';
    host = await openHost();
    const held = 'stty rows 30 columns 100; tty; exec sleep 1000';
    script = host.programs.stream(['script', '--quiet', '--flush', '--command', held, '/dev/null']);
    script.finished.catch(() => undefined);
    script.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
    await once(script.stdout, 'data');
    await vi.waitFor(() => expect(output).toMatch(made));
    const name = made.exec(output)?.[1] ?? '';
    vi.stubEnv('INCUSOS_DEVICE_DIR', '/dev');
    terminal = new Terminal(name, createLogger('console'));
    output = '';
  });

  afterEach(() => {
    terminal.close();
    script.stop();
    vi.unstubAllEnvs();
  });

  const made = /\/dev\/(pts\/\d+)/u;
  const settings = async (): Promise<string> =>
    (await host.programs.run(['stty', '--all', '--file', `/dev/${terminal.name}`])).stdout;

  it('is drawn in its own size, and then only where something changed', async () => {
    terminal.draw((size) => screen(someView(), size), false);
    await vi.waitFor(() => expect(output).toContain('\u001B[30;1H'));
    expect(output).toContain('─'.repeat(100));
    output = '';
    terminal.draw((size) => screen(someView({ machineId: 'other' }), size), false);
    await vi.waitFor(() => expect(output).toContain('other'));
    expect(output).not.toContain('Applications');
  });

  it('follows its size', async () => {
    terminal.draw((size) => screen(someView(), size), false);
    await vi.waitFor(() => expect(output).toContain('\u001B[30;1H'));
    await host.programs.run(['stty', 'rows', '40', 'columns', '90', '--file', `/dev/${terminal.name}`]);
    output = '';
    terminal.draw((size) => screen(someView(), size), false);
    await vi.waitFor(() => expect(output).toContain('\u001B[40;1H'));
    expect(output).not.toContain('─'.repeat(91));
  });

  it('shows nothing of what is typed, and can not be stopped from its keyboard', async () => {
    terminal.draw((size) => screen(someView(), size), false);
    const state = await settings();
    for (const off of ['-echo', '-icanon', '-isig', '-ixon']) expect(state.split(/\s+/u)).toContain(off);
  });

  it('that is gone is no reason to fail, and is said once', async () => {
    const logger = createLogger('console');
    const warn = vi.spyOn(logger, 'warn').mockReturnValue(logger);
    terminal = new Terminal(terminal.name, logger);
    const draw = (): void => terminal.draw((size) => screen(someView(), size), true);
    draw();
    script.stop();
    await script.finished.catch(() => undefined);
    await vi.waitFor(() => {
      draw();
      expect(warn).toHaveBeenCalled();
    });
    draw();
    expect(warn).toHaveBeenCalledTimes(1);
  });
});
