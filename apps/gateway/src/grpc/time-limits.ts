/** How long calls may take that can take longer than the usual 30 s, in milliseconds. */

const minute = 60_000;
const hour = 60 * minute;

export const timeLimits = {
  /** The network service itself waits up to 30 s for the network to come up, and then brings the old one back. */
  networkConfig: 3 * minute,
  /** Creating pools partitions drives and may wait for slow ones. */
  storage: 15 * minute,
  /** Overwriting a large drive. */
  wipe: 48 * hour,
  /** Downloads of an OS or application image on a slow line. */
  download: 4 * hour,
  /** An archive that moves at the client's pace. */
  archive: 24 * hour,
  /** A support script. */
  script: hour,
  /** Clearing TPM and Secure Boot state, adding keys to encrypted volumes. */
  security: 5 * minute,
  /** Units that are restarted with a new configuration. */
  units: 5 * minute,
} as const;
