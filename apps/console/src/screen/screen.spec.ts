import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { someLine, someView } from '../testing/some-view.ts';
import { played } from '../testing/played.ts';
import { widthOf } from '../text/fit.ts';
import type { Frame, Size } from './frame.ts';
import { changed, paint, redrawn } from './paint.ts';
import { screen } from './screen.ts';
import type { View } from './view.ts';

const usual: Size = { columns: 80, rows: 25 };

function textOf({ lines }: Frame): string[] {
  return lines.map((line) => line.map(({ text }) => text).join(''));
}

async function shown(view: View, size: Size): Promise<string> {
  return (await played(redrawn(paint(screen(view, size))), size)).join('\n');
}

describe('the screen', () => {
  it('has the machine on top, its log in the middle, and what there is to know below', async () => {
    expect(await shown(someView(), { columns: 80, rows: 12 })).toMatchInlineSnapshot(`
      " server01.example.net  IncusOS 202611200705             2026-11-20 08:00:12 UTC 
      08:00:01 network      service is ready





      ────────────────────────────────────────────────────────────────────────────────
       Status        ready
       Network       enp5s0: 192.0.2.134, 2001:db8::1
       Machine       f75ff7da0f7a49d49f1e98669a70fdcc
       Applications  incus 7.0.2 [202611120410]"
    `);
  });

  it('uses the room of a larger terminal', async () => {
    const log = Array.from({ length: 100 }, (_line, index) => someLine(`line ${index}`));
    const text = await shown(someView({ log }), { columns: 120, rows: 40 });
    expect(text).toContain('line 66');
    expect(text).toContain('line 99');
    expect(text.split('\n').map((line) => line.length)).toContain(120);
  });

  it('shows the newest lines of the log, broken where they are longer than the screen', async () => {
    const log = [someLine('old '.repeat(400)), someLine('new '.repeat(40), { level: 'error' })];
    const lines = (await shown(someView({ log }), usual)).split('\n');
    expect(lines.filter((line) => line.includes('new'))).toHaveLength(3);
    expect(lines.find((line) => line.includes('error: new'))).toMatch(/^08:00:01 network {6}error: new new/u);
    expect(lines.filter((line) => line.includes('old')).length).toBeGreaterThan(10);
  });

  it('is drawn in every size, with no line wider than it', () => {
    const text = fc.string({ unit: 'binary', maxLength: 200 });
    const view = fc.record({
      hostname: text,
      osVersion: text,
      ready: fc.boolean(),
      missing: fc.array(text, { maxLength: 8 }),
      interfaces: fc.option(
        fc.array(fc.record({ name: text, addresses: fc.array(text, { maxLength: 5 }), state: text }), {
          maxLength: 10,
        }),
        { nil: undefined },
      ),
      recoveryKeysRetrieved: fc.option(fc.boolean(), { nil: undefined }),
      log: fc.array(
        text.map((line) => someLine(line)),
        { maxLength: 20 },
      ),
      messages: fc.array(
        fc.record({ title: text, text, progress: fc.double({ noNaN: true, min: 0, max: 100 }) }),
        {
          maxLength: 3,
        },
      ),
    });
    const size = fc.record({
      columns: fc.integer({ min: 1, max: 200 }),
      rows: fc.integer({ min: 1, max: 70 }),
    });
    fc.assert(
      fc.property(view, size, (changes, { columns, rows }) => {
        const frame = screen(someView(changes), { columns, rows });
        expect(frame.lines).toHaveLength(rows);
        for (const line of textOf(frame)) expect(widthOf(line)).toBeLessThanOrEqual(columns);
        const { box } = frame;
        if (box === undefined) return;
        const widths = new Set(box.lines.map((line) => widthOf(line.map((span) => span.text).join(''))));
        expect(widths.size).toBe(1);
        expect(box.column + Math.max(...widths)).toBeLessThanOrEqual(columns);
        expect(box.row + box.lines.length).toBeLessThanOrEqual(rows);
      }),
    );
  });

  it('keeps the time when the host name is longer than the screen', async () => {
    const [top] = (await shown(someView({ hostname: `${'long.'.repeat(40)}net` }), usual)).split('\n');
    expect(top).toMatch(/^ long\..*\.\.\. {2}IncusOS 202611200705 {2}2026-11-20 08:00:12 UTC ?$/u);
  });

  it('says how much there is beside what fits', async () => {
    const interfaces = Array.from({ length: 40 }, (_item, index) => ({
      name: `enp${index}s0`,
      addresses: [`192.0.2.${index}`],
      state: 'routable',
    }));
    const text = await shown(someView({ interfaces }), usual);
    expect(text).toContain('enp0s0: 192.0.2.0');
    expect(text).toMatch(/enp\d+s0: 192\.0\.2\.\d+ \(\+\d+ more lines\)/u);
    expect(text).toContain('Machine');
    expect(text).toContain('service is ready');
  });

  it('says what it waits for until the machine is ready, and later what is missing', async () => {
    const missing = ['storage', 'gateway'];
    expect(await shown(someView({ ready: false, missing }), usual)).toContain(
      'starting ... waiting for storage, gateway',
    );
    expect(await shown(someView({ missing }), usual)).toContain('not answering: storage, gateway');
  });

  it('warns as long as nobody took the recovery keys', async () => {
    const text = async (recoveryKeysRetrieved: boolean | undefined): Promise<string> =>
      shown(someView({ recoveryKeysRetrieved }), usual);
    expect(await text(false)).toContain('WARNING: retrieve the recovery keys');
    expect(await text(true)).not.toContain('WARNING');
    expect(await text(undefined)).not.toContain('WARNING');
  });

  it('shows the time where the machine is', async () => {
    expect(await shown(someView({ timeZone: 'Europe/Berlin' }), usual)).toContain(
      '2026-11-20 09:00:12 Europe/Berlin',
    );
    expect(await shown(someView({ timeZone: 'Nowhere/Land' }), usual)).toContain('2026-11-20 08:00:12');
  });

  it('has a message in front of the log, with its progress', async () => {
    const messages = [{ title: 'Installing', text: 'Copying the system to /dev/sda.', progress: 42.9 }];
    const text = await shown(someView({ messages }), usual);
    expect(text).toContain('┌─ Installing ─');
    expect(text).toContain('│ Copying the system to /dev/sda.');
    expect(text).toMatch(/│ █+░+ {2}42 % │/u);
    expect(text).toContain('Status');
  });

  it('shows several messages in turn, each for a second', async () => {
    const messages = ['One', 'Two'].map((title) => ({ title, text: 'x' }));
    const at = async (second: number): Promise<string> =>
      shown(someView({ messages, now: new Date(Date.UTC(2026, 0, 1, 0, 0, second)) }), usual);
    const turns = await Promise.all([0, 1, 2].map(at));
    expect(turns.map((text) => /(One|Two).*[12]\/2/u.exec(text)?.[1])).toEqual(['One', 'Two', 'One']);
  });

  it('shows on a tiny screen what has room there', async () => {
    expect((await shown(someView(), { columns: 20, rows: 2 })).split('\n')).toEqual([
      ' IncusOS 20261120...',
      'service is ready',
    ]);
  });

  it('can not be taken over by a line of the log', async () => {
    const plain = await shown(someView({ log: [someLine('x')] }), usual);
    const attacks = [
      '\u001Bc\u001B[2J\u001B[H',
      '\u001B[?1049h\u001B[1;1H',
      '\u009B2J\u009B1;1H',
      '\u001B]0;t\u0007\u001BP\u001B\\',
      '\u000E\u001B(0\u001B%@',
      '\r\n'.repeat(30),
      '\u202E\u2066',
    ];
    for (const attack of attacks) {
      const text = await shown(someView({ log: [someLine(`${attack}x`)] }), usual);
      const others = (whole: string): string[] => whole.split('\n').filter((_line, row) => row !== 1);
      expect(others(text)).toEqual(others(plain));
      expect(text.split('\n')[1]).toMatch(/^08:00:01 network .*x$/u);
    }
  });

  it('stays in its rows with characters of double width at its edge', async () => {
    const log = [someLine('漢字'.repeat(100)), someLine('👩‍👩‍👧'.repeat(60))];
    const lines = await played(redrawn(paint(screen(someView({ log }), usual))), usual);
    expect(lines).toHaveLength(usual.rows);
    expect(lines[0]).toContain('server01');
  });
});

describe('what is sent to the terminal', () => {
  it('is nothing for a screen that shows it already', () => {
    const rows = paint(screen(someView(), usual));
    expect(changed(rows, rows)).toBe('');
  });

  it('is only the rows that changed, and leads to the same screen', async () => {
    const before = paint(screen(someView(), usual));
    const messages = [{ title: 'Title', text: 'text' }];
    const after = paint(screen(someView({ messages, now: new Date('2026-11-20T08:00:17Z') }), usual));
    const update = changed(after, before);
    expect(update).not.toContain('Machine');
    expect(await played(redrawn(before) + update, usual)).toEqual(await played(redrawn(after), usual));
    const back = changed(before, after);
    expect(await played(redrawn(before) + update + back, usual)).toEqual(
      await played(redrawn(before), usual),
    );
  });

  it('puts right what others did to the terminal', async () => {
    const rows = paint(screen(someView(), usual));
    const scribble = '\u001B[5;10r\u001B[?6h\u001B[4h\u001B[41mpanic\u001B(0\u000E';
    expect(await played(scribble + redrawn(rows), usual)).toEqual(await played(redrawn(rows), usual));
  });

  it('leaves no cursor behind', () => {
    expect(redrawn(paint(screen(someView(), usual)))).toContain('\u001B[?25l');
  });
});
