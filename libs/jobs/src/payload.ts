/** Queues are clear text in another process's memory: what a job carries must be no secret. */

const secretWord = /pass(?:word|phrase)|secret|token|credential|private|(?:^|[-_.])key$/iu;
const camelCaseKey = /[a-z0-9]Key$/u;

/** @throws Error when a member's name says that its value is a secret. A job reads secrets from its own files. */
export function requireNoSecrets(payload: unknown, path = 'data'): void {
  if (typeof payload !== 'object' || payload === null) return;
  for (const [key, value] of Object.entries(payload)) {
    const place = `${path}.${key}`;
    if (secretWord.test(key) || camelCaseKey.test(key))
      throw new Error(`a job must not carry ${place}: it could be a secret`);
    requireNoSecrets(value, place);
  }
}
