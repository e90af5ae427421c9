/** What runs on this machine. */
import { type Host, readOsRelease } from '@incusos/host';
import type { Architecture } from '@incusos/images';
import { DomainError } from '@incusos/service';

export interface RunningSystem {
  /** Such as `IncusOS`. */
  readonly osName: string;
  /** Twelve digits. */
  readonly release: string;
  readonly architecture: Architecture;
}

/**
 * Reads os-release(5) of the image that was booted: `NAME` and `IMAGE_VERSION`.
 * @throws DomainError OPERATION_FAILED when it doesn't say.
 */
export async function readRunningSystem({ files }: Host): Promise<RunningSystem> {
  const variables = await readOsRelease(files).catch((error: unknown) => {
    throw new DomainError(
      'OPERATION_FAILED',
      "the running release isn't known: there is no os-release file",
      {
        cause: error,
      },
    );
  });
  const { IMAGE_VERSION: release = '', NAME: name = '' } = Object.fromEntries(variables);
  if (release === '') {
    throw new DomainError('OPERATION_FAILED', "the running release isn't known: os-release doesn't name it");
  }
  const architecture = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  return { osName: name === '' ? 'IncusOS' : name, release, architecture };
}
