import { describe, expect, it } from 'vitest';
import { compareOutput } from './shape.ts';

const differences = (real: unknown, emulated: unknown): string[] => [
  ...compareOutput(JSON.stringify(real), JSON.stringify(emulated), 'lines'),
];

describe('the comparison of JSON', () => {
  it('finds members that only one has, and other types', () => {
    expect(differences({ a: 1, b: { c: 'x' } }, { a: '1', b: { d: 'x' } })).toEqual([
      'a: number, not string',
      'b.c: only real',
      'b.d: only emulated',
    ]);
  });

  it('leaves values alone that are no words a reader goes by', () => {
    expect(differences({ size: 1, serial: 'a' }, { size: 2, serial: 'b' })).toEqual([]);
    expect(
      differences({ pools: { a: { state: 'ONLINE' } } }, { pools: { a: { state: 'DEGRADED' } } }),
    ).toEqual(['pools.*.state: "ONLINE", not "DEGRADED"']);
  });

  it('compares elements of lists by what they are called, and missing members by their guid', () => {
    expect(
      differences([{ ifname: 'lo', mtu: 1 }, { ifname: 'a' }], [{ ifname: 'a', up: true }, { ifname: 'lo' }]),
    ).toEqual(['[lo].mtu: only real', '[a].up: only emulated']);
    expect(differences({ vdevs: { '123456789': {} } }, { vdevs: { '987654321': {} } })).toEqual([]);
  });

  it('says nothing about what an empty list could hold', () => {
    expect(differences({ list: [] }, { list: [{ a: 1 }] })).toEqual([]);
  });
});

describe('the comparison of text', () => {
  it('leaves numbers, identifiers and spaces aside, and the order of lines', () => {
    const real = 'slot 1  opened\nid 01234567-89ab-cdef-0123-456789abcdef\n';
    const emulated = 'id ffffffff-89ab-cdef-0123-456789abcdef\nslot 22 opened\n';
    expect([...compareOutput(real, emulated, 'lines')]).toEqual([]);
    expect([...compareOutput('slot 1 opened\n', 'slot 1 closed\n', 'lines')]).toEqual([
      "'slot 0 opened': only real",
      "'slot 0 closed': only emulated",
    ]);
  });

  it('takes a program that goes on by the kinds of its lines, and tables by their columns', () => {
    expect([...compareOutput('a 1\nb 2\n', 'a 3\na 4\n', 'kinds of lines')]).toEqual([]);
    expect([...compareOutput('a 1\n', 'c 1\n', 'kinds of lines')]).toEqual(["'c 0': only emulated"]);
    expect([...compareOutput('PID CMD\n1 init\n', 'PID CMD\n2\n', 'table')]).toEqual([
      "'0': too few columns",
    ]);
    expect([...compareOutput('A=1\nB=2\n', 'B=3\n', 'keys')]).toEqual(["'A': only real"]);
  });

  it('takes objects on lines by the members that any of them has', () => {
    const real = '{"a":"1"}\n{"b":"2"}\n';
    expect([...compareOutput(real, '{"b":"3"}\n', 'JSON lines')]).toEqual([]);
    expect([...compareOutput(real, '{"b":3}\n', 'JSON lines')]).toEqual(['b: string, not number']);
  });
});
