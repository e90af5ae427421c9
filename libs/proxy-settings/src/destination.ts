/**
 * Which destinations a rule means.
 *
 * A pattern is a list of alternatives separated by `|`, in which `*` stands for any text and `?` for one character, or a
 * regular expression after `re:`; `!` in front of either reverses it. What has a `/` is compared with the URL, what has a
 * `:` with host and port, all else with the host alone, without regard to case. These are the patterns of kpx
 * (https://github.com/momiji/kpx), which the API's field `destination` is made for.
 */

export interface Destination {
  /** Of a tunnel `https://host`, with its port unless that is 443. */
  readonly url: string;
  /** A name or an address, an IPv6 one without brackets. */
  readonly host: string;
  readonly port: number;
}

/** A pattern says nothing that can be compared. */
export class PatternError extends Error {
  override readonly name = 'PatternError';
}

type Matcher = (destination: Destination) => boolean;

/** @throws PatternError when the pattern is none. */
export function destinationMatcher(pattern: string): Matcher {
  const inverted = pattern.startsWith('!');
  const text = inverted ? pattern.slice(1) : pattern;
  if (text === '') throw new PatternError('it is empty');
  const matches = text.startsWith('re:') ? expression(text.slice(3)) : anyOf(text.split('|').map(wildcard));
  return inverted ? (destination) => !matches(destination) : matches;
}

function anyOf(matchers: readonly Matcher[]): Matcher {
  return (destination) => matchers.some((matches) => matches(destination));
}

function expression(source: string): Matcher {
  let compiled: RegExp;
  try {
    compiled = new RegExp(source, 'i');
  } catch (error) {
    throw new PatternError(error instanceof Error ? error.message : String(error), { cause: error });
  }
  const subject = subjectOf(source);
  return (destination) => subject(destination).some((text) => compiled.test(text));
}

function wildcard(pattern: string): Matcher {
  const lower = pattern.toLowerCase();
  const subject = subjectOf(pattern);
  return (destination) => subject(destination).some((text) => matchesWildcards(lower, text.toLowerCase()));
}

/** What of a destination a pattern is compared with; an IPv6 address is written in more than one way. */
function subjectOf(pattern: string): (destination: Destination) => readonly string[] {
  if (pattern.includes('/')) return ({ url }) => [url];
  if (!pattern.includes(':')) return ({ host }) => [host];
  return ({ host, port }) =>
    host.includes(':') ? [`[${host}]:${port}`, `[${host}]`, host] : [`${host}:${port}`];
}

/** Goes back to the last `*` only, so that no pattern takes longer than its length times the text's. */
function matchesWildcards(pattern: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let index = 0; index < text.length;) {
    const wanted = pattern[at];
    if (wanted === '*') {
      star = at;
      at += 1;
      resume = index;
    } else if (wanted === '?' || (wanted !== undefined && wanted === text[index])) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      at = star + 1;
      resume += 1;
      index = resume;
    } else return false;
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}
