/** The readers of programs' output and of the kernel's files, on those of a real machine. */
import { answersTo, fileIn, outputOf } from '@incusos/host-emulated/samples';
import { describe, expect, it } from 'vitest';
import { cpuBaseline } from './debug/cpu-baseline.ts';
import { isRequestProblem } from './debug/journal-query.ts';
import { parseModules } from './debug/kernel-modules.ts';
import { parseCpuInfo } from './resources/cpu.ts';
import { parseMemInfo } from './resources/memory.ts';

const kernelFile = (path: string): string => fileIn('system/kernel', path).toString();

describe('the kernel of a real machine', () => {
  it('has modules that depend on each other', () => {
    const modules = new Map(parseModules(kernelFile('/proc/modules')).map((module) => [module.name, module]));
    expect(modules.get('zfs')).toMatchObject({ dependencies: ['spl'] });
    expect(modules.get('spl')).toMatchObject({ in_use: true, dependencies: [] });
  });

  it('tells processors and memory', () => {
    const processors = parseCpuInfo(kernelFile('/proc/cpuinfo'));
    expect([...processors.keys()]).toEqual([0, 1]);
    expect(processors.get(0)?.get('model name')).toBe('QEMU TCG CPU version 2.5+');
    const memory = parseMemInfo(kernelFile('/proc/meminfo'));
    expect(memory.get('MemTotal')).toBe(3_974_896n);
    expect(memory.get('HugePages_Total')).toBe(0n);
  });

  it('runs on what the loader says', () => {
    expect(cpuBaseline(outputOf('system/kernel', '/lib64/ld-linux'))).toMatch(/^x86_64_v[34]$/u);
  });

  it('swaps to memory, whose device goes when it is reset', () => {
    expect(outputOf('system/kernel', 'zramctl --find --algorithm zstd').trim()).toBe('/dev/zram0');
    expect(kernelFile('/sys/block/zram0/disksize').trim()).toBe('67108864');
    expect(kernelFile('/sys/block/zram0/mm_stat').trim().split(/\s+/u).length).toBeGreaterThanOrEqual(3);
  });
});

describe('the journal of a real machine', () => {
  const answers = answersTo('system/journal', 'journalctl --output=json');

  it('is one object a line', () => {
    const entries = answers.flatMap(({ stdout }) => stdout.filter((line) => line !== ''));
    expect(entries.length).toBeGreaterThan(20);
    for (const entry of entries) {
      const { __REALTIME_TIMESTAMP: time } = JSON.parse(entry) as Record<string, unknown>;
      expect(time).toMatch(/^\d{16}$/u);
    }
  });

  it('refuses what is wrong about a request in words that are known', () => {
    const refused = answers.filter(({ exit_code }) => exit_code !== 0);
    expect(refused).toHaveLength(4);
    for (const { stderr } of refused) expect(isRequestProblem(stderr.join('\n'))).toBe(true);
  });
});

describe('the units of a real machine', () => {
  it('are active or not, by exit code', () => {
    const quiet = answersTo('system/units', 'systemctl is-active --quiet');
    expect(quiet.map(({ exit_code }) => exit_code)).toEqual([0, 4]);
  });
});
