import { describe, expect, it } from 'vitest';
import { noEmulation, ruleOf } from './emulation.ts';

describe('programs of another architecture', () => {
  it('are told to the kernel by the header of their ELF files, opened at once, and run as they are', () => {
    expect(ruleOf('arm64', '/emulator/qemu-aarch64')).toBe(
      String.raw`:incusos-arm64:M::\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00` +
        String.raw`:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff` +
        ':/emulator/qemu-aarch64:FPOC',
    );
  });

  it('need nothing where they are the own ones', () => {
    expect(noEmulation).toEqual({ mounts: {}, argv: [] });
  });
});
