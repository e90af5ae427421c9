import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { journalArguments } from './journal-query.ts';
import { cpuBaseline } from './cpu-baseline.ts';
import { parseModules } from './kernel-modules.ts';
import { messageLevel } from './message-level.ts';

describe('a log query', () => {
  it('asks for this boot unless another is given, and for all our services by one name', () => {
    expect(journalArguments({ unit: 'incus-osd' })).toEqual([
      '--output=json',
      '--no-pager',
      '--quiet',
      '--identifier=incus-osd',
      '--boot=0',
    ]);
    expect(
      journalArguments({ unit: 'a.service', boot: '-1', entries: '5', since: '-1h', until: 'now' }).slice(3),
    ).toEqual(['--unit=a.service', '--boot=-1', '--lines=5', '--since=-1h', '--until=now']);
  });

  it('never makes an argument of its own from a value', () => {
    const value = fc.option(
      fc.oneof(fc.string(), fc.constantFrom('--flush', '-f', 'x --vacuum-size=1', '-1', '0')),
      { nil: undefined },
    );
    fc.assert(
      fc.property(
        fc.record({ unit: value, boot: value, entries: value, since: value, until: value }),
        (query) => {
          let args: string[];
          try {
            args = journalArguments(query);
          } catch {
            return;
          }
          for (const arg of args) {
            expect(arg).toMatch(
              /^--(?:output=json|no-pager|quiet|identifier=incus-osd|(?:unit|boot|lines|since|until)=.*)$/u,
            );
          }
        },
      ),
    );
  });
});

describe('kernel modules', () => {
  it('depend on those that name them as users', () => {
    const text =
      'vfio_pci 16384 0 - Live 0x0\nvfio_pci_core 94208 1 vfio_pci, Live 0x0\nvfio 73728 2 vfio_pci,vfio_pci_core, Live 0x0\nloop 1 1 [permanent], Live 0x0\n';
    expect(parseModules(text)).toEqual([
      { name: 'loop', dependencies: [], in_use: true },
      { name: 'vfio', dependencies: [], in_use: true },
      { name: 'vfio_pci', dependencies: ['vfio', 'vfio_pci_core'], in_use: false },
      { name: 'vfio_pci_core', dependencies: ['vfio'], in_use: true },
    ]);
  });

  it('run on the highest level that the loader supports', () => {
    expect(
      cpuBaseline('  x86-64-v4\n  x86-64-v3 (supported, searched)\n  x86-64-v2 (supported, searched)\n'),
    ).toBe('x86_64_v3');
    expect(cpuBaseline('')).toBe('x86_64_v1');
  });
});

describe('message levels', () => {
  it('are names, numbers, or names with an offset', () => {
    expect(['', 'info', '-4', 'DEBUG', '3', 'WARN', 'INFO+4', '8', 'ERROR'].map(messageLevel)).toEqual([
      'info',
      'info',
      'debug',
      'debug',
      'info',
      'warn',
      'warn',
      'error',
      'error',
    ]);
    expect(() => messageLevel('LOUD')).toThrow("unknown log level 'LOUD'");
  });
});
