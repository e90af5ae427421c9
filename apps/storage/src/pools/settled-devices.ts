/**
 * ZFS partitions the drives that it is given, and finds the partitions by udev's names. On a drive that was partitioned
 * before, it may take the link of a partition that is just going away, or give up before the new link is there; nothing
 * is wrong with the drive then, and it works as soon as udev is done.
 */
import { type Host, ProgramError, type RunResult } from '@incusos/host';

const overtaken = /one or more devices is currently unavailable|failed to detect device partitions/u;
const mostAttempts = 3;

/** Runs a `zpool` command that takes new drives; again, after udev is done, when the drives' partitions weren't. */
export async function runWithNewDrives(
  { programs }: Host,
  argv: readonly [string, ...string[]],
  timeoutMs: number,
): Promise<RunResult> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await programs.run(argv, { timeoutMs });
    } catch (error) {
      if (!(error instanceof ProgramError) || !overtaken.test(error.stderr) || attempt === mostAttempts)
        throw error;
      await programs.run(['udevadm', 'settle', '--timeout=30'], {
        acceptExitCodes: 'any',
        timeoutMs: 40_000,
      });
    }
  }
}
