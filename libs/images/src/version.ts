/** Release versions: the twelve digits `YYYYMMDDHHMM` of the time of the build, such as `202511041601`. */

/** Whether a text is a release's version. */
export function isVersion(text: string): boolean {
  return /^\d{12}$/u.test(text);
}

/** Whether a version is newer than another. What isn't a number is never newer, nor is anything newer than it. */
export function isNewer(version: string, than: string): boolean {
  if (!/^\d+$/u.test(version) || !/^\d+$/u.test(than)) return false;
  return BigInt(version) > BigInt(than);
}
