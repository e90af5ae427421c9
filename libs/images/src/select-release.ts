/** Chooses from a feed the release that suits a machine. */
import type { Index, UpdateFile, UpdateFull } from '@incusos/contracts/images';

/** As files of a feed name it. */
export type Architecture = 'x86_64' | 'aarch64';

export interface Selection {
  /** Empty: every channel suits. */
  readonly channel: string;
  /** The release that runs; it suits whatever its channels, so that leaving a channel never looks like a downgrade. */
  readonly runningRelease: string;
  readonly architecture: Architecture;
}

export interface SelectedRelease {
  /** The newest release that suits, with only the files for the machine's architecture; none if nothing suits. */
  readonly release: UpdateFull | undefined;
  /** Whether the feed has any release in the channel. */
  readonly channelExists: boolean;
}

/** Chooses the newest release of the channel that has files for the architecture. */
export function selectRelease(
  index: Index,
  { channel, runningRelease, architecture }: Selection,
): SelectedRelease {
  const inChannel = (update: UpdateFull): boolean => channel === '' || update.channels.includes(channel);
  const release = index.updates
    .filter((update) => inChannel(update) || update.version === runningRelease)
    .map((update) => ({ ...update, files: update.files.filter((file) => suits(file, architecture)) }))
    .find((update) => update.files.length > 0);
  return { release, channelExists: index.updates.some(inChannel) };
}

function suits(file: UpdateFile, architecture: Architecture): boolean {
  return file.architecture === '' || file.architecture === architecture;
}

/** Whether a release brings the operating system. */
export function hasOperatingSystem(release: UpdateFull): boolean {
  return release.files.some(({ component }) => component === 'os');
}

/** The image of an application in a release; none if the release doesn't bring it. */
export function applicationFile(release: UpdateFull, application: string): UpdateFile | undefined {
  return release.files.find(
    ({ filename, type }) => type === 'application' && filename.split('/').at(-1) === `${application}.raw.gz`,
  );
}

/** The archive of Secure Boot keys in a release; none if the release doesn't bring one. */
export function secureBootFile(release: UpdateFull): UpdateFile | undefined {
  return release.files.find(({ type }) => type === 'update-secureboot');
}
