/**
 * Removes what is on a drive. Markers written at its start, middle and end tell whether a way of clearing it did what
 * it said; the ways are tried from the cheapest to the dearest.
 */
import { HOST, type Host, ProgramError } from '@incusos/host';
import { DomainError } from '@incusos/service';
import { Inject, Injectable } from '@nestjs/common';

const marker = 'INCUS';
/** A drive of many TiB takes days to overwrite. */
const overwriteTimeoutMs = 14 * 24 * 3600 * 1000;
const discardTimeoutMs = 24 * 3600 * 1000;

const clearings = [
  ['blkdiscard', '-f', '-s'],
  ['blkdiscard', '-f'],
  ['blkdiscard', '-f', '-z'],
] as const;

@Injectable()
export class Wiper {
  constructor(@Inject(HOST) private readonly host: Host) {}

  /**
   * Clears a drive.
   * @param device its path.
   * @param size in bytes.
   * @param secure overwrites all of it when nothing cheaper cleared it.
   */
  async wipe(device: string, size: bigint, secure: boolean): Promise<void> {
    try {
      await this.clear(device, size, secure);
    } catch (error) {
      if (!(error instanceof ProgramError)) throw error;
      throw new DomainError(
        'OPERATION_FAILED',
        `drive '${device}' could not be wiped: ${error.stderr === '' ? error.message : error.stderr}`,
        { cause: error },
      );
    }
    // udev's picture of the drive, and with it ours, is of before.
    await this.host.programs
      .run(['udevadm', 'settle', '--timeout=10'], { acceptExitCodes: 'any' })
      .catch(() => undefined);
  }

  private async clear(device: string, size: bigint, secure: boolean): Promise<void> {
    const offsets = [0n, size / 2n, size - BigInt(marker.length)];
    for (const offset of offsets) await this.mark(device, offset);
    for (const offset of offsets) {
      if (!(await this.isMarked(device, offset)))
        throw new DomainError('OPERATION_FAILED', "some of our initial markers weren't written properly");
    }
    for (const clearing of clearings) {
      const { exitCode } = await this.host.programs.run([...clearing, device], {
        acceptExitCodes: 'any',
        timeoutMs: discardTimeoutMs,
      });
      if (exitCode === 0 && (await this.isCleared(device, offsets))) return;
    }
    // It says that it is a GPT it can't read when there is none; what counts is that none is there afterwards.
    await this.host.programs.run(['sgdisk', '-Z', device], { acceptExitCodes: [0, 2] });
    if (secure) await this.overwrite(device, size);
  }

  private async mark(device: string, offset: bigint): Promise<void> {
    await this.host.programs.run(
      [
        'dd',
        `of=${device}`,
        `bs=${marker.length}`,
        'count=1',
        `seek=${offset}`,
        'oflag=seek_bytes',
        'conv=notrunc,fsync',
        'status=none',
      ],
      { stdin: marker },
    );
  }

  private async isMarked(device: string, offset: bigint): Promise<boolean> {
    const { stdout } = await this.host.programs.run([
      'dd',
      `if=${device}`,
      `bs=${marker.length}`,
      'count=1',
      `skip=${offset}`,
      'iflag=skip_bytes,fullblock',
      'status=none',
    ]);
    return stdout === marker;
  }

  private async isCleared(device: string, offsets: readonly bigint[]): Promise<boolean> {
    const marked = await Promise.all(offsets.map((offset) => this.isMarked(device, offset)));
    return !marked.includes(true);
  }

  private async overwrite(device: string, size: bigint): Promise<void> {
    await this.host.programs.run(
      [
        'dd',
        'if=/dev/zero',
        `of=${device}`,
        'bs=4M',
        `count=${size}`,
        'iflag=count_bytes',
        'conv=notrunc,fsync',
        'status=none',
      ],
      {
        timeoutMs: overwriteTimeoutMs,
      },
    );
  }
}
