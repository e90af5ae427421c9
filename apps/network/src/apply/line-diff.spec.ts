import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lineDiff } from './line-diff.ts';

const text = fc
  .array(
    fc.constantFrom(
      '[Match]',
      '[Network]',
      '[Route]',
      'Name=_va',
      'Address=192.0.2.1/24',
      'DHCP=yes',
      'VLAN=10',
    ),
  )
  .map((lines) => lines.join('\n'));
const linesOf = (lines: string): string[] => lines.split('\n').filter((line) => line !== '');
const counted = (lines: readonly string[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
};

describe('the difference between two files', () => {
  it('has the lines that go and come below their section', () => {
    const before = '[Match]\nName=_va\n\n[Network]\nAddress=192.0.2.1/24\nDHCP=no\n';
    const after =
      '[Match]\nName=_va\n\n[Network]\nAddress=192.0.2.2/24\nDHCP=no\n\n[Route]\nGateway=192.0.2.254\n';
    expect(lineDiff(before, after).split('\n')).toEqual([
      ' [Network]',
      '-Address=192.0.2.1/24',
      '+Address=192.0.2.2/24',
      '+[Route]',
      '+Gateway=192.0.2.254',
    ]);
  });

  it('turns the one into the other', () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const lines = linesOf(lineDiff(before, after));
        const marked = (sign: string): string[] =>
          lines.filter((line) => line.startsWith(sign)).map((line) => line.slice(1));
        const result = counted(linesOf(before));
        for (const line of marked('-')) result.set(line, (result.get(line) ?? 0) - 1);
        for (const line of marked('+')) result.set(line, (result.get(line) ?? 0) + 1);
        for (const [line, count] of result) if (count === 0) result.delete(line);
        expect(result).toEqual(counted(linesOf(after)));
        expect(lines.length === 0).toBe(linesOf(before).join('\n') === linesOf(after).join('\n'));
      }),
    );
  });
});
