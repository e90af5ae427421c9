/** Rules for texts that end up in a command line or a file. */
import type { Violation } from '../config/violation.ts';

/** No line breaks, no control characters, no white space, in any of the fields. */
export function* checkText<Config>(
  config: Config,
  fields: readonly (keyof Config & string)[],
): Generator<Violation> {
  for (const field of fields) {
    if (typeof config[field] === 'string' && /[\s\p{Cc}]/u.test(config[field]))
      yield { field: `config.${field}`, message: `${field} can't contain white space` };
  }
}

export function isHttpUrl(text: string): boolean {
  return /^https?:\/\/[^/]/iu.test(text) && URL.canParse(text);
}
