/** Whether one primary application may take the place of another: only the two kinds of Incus may. */

/** The newest Incus whose data the LTS release understands. */
const newestForLts = '7.0.0';

/**
 * @param version asks the running Incus for its version.
 * @returns why not; `undefined` when it may.
 */
export async function replacementProblem(
  present: string,
  wanted: string,
  version: () => Promise<string>,
): Promise<string | undefined> {
  if (present === wanted) return `can't replace application '${present}' with itself`;
  if (wanted !== 'incus' && wanted !== 'incus-lts-7.0') {
    return `can't replace application '${present}' with a non-Incus application`;
  }
  if (wanted === 'incus') return undefined;
  const running = await version();
  if (running === newestForLts) return undefined;
  return `current Incus version (${running}) is too new to be replaced with '${wanted}'`;
}
