/** The resolver, through resolvectl(1). */
import { type Host, ProgramError } from '@incusos/host';

/** Empties its caches. */
export async function flushCaches(host: Host): Promise<void> {
  await host.programs.run(['resolvectl', 'flush-caches']);
}

/** Any name would do; this one is that of the images' own server. */
const probe = 'linuxcontainers.org';
/** Links that are asked at once. */
const mostLinks = 8;

export type Answer = 'answers' | 'silent' | 'no-servers';

/**
 * Whether a name server answers. That a name doesn't exist, or a refusal, is an answer too.
 *
 * All links have the configured name servers, and the resolver waits for every link that has some before it says that a
 * name doesn't exist, also for one from which no way leads to them. So each link is asked for itself too, and one answer is
 * enough.
 * @param links devices to ask one by one.
 * @param timeoutMs of the question.
 */
export async function resolverAnswers(
  host: Host,
  links: readonly string[],
  timeoutMs: number,
): Promise<Answer> {
  const enough = new AbortController();
  const questions = [[], ...links.slice(0, mostLinks).map((link) => [`--interface=${link}`])];
  const told = await Promise.all(
    questions.map(async (where) => {
      const answer = await ask(host, where, timeoutMs, enough.signal);
      if (answer === 'answers') enough.abort();
      return answer;
    }),
  );
  if (told.includes('answers')) return 'answers';
  return told.includes('silent') ? 'silent' : 'no-servers';
}

async function ask(
  host: Host,
  where: readonly string[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Answer> {
  try {
    await host.programs.run(['resolvectl', 'query', '--cache=no', '--legend=no', ...where, probe], {
      timeoutMs,
      signal,
    });
    return 'answers';
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
    if (error.failure === 'aborted' && signal.aborted) return 'silent';
    if (error.failure === 'not-found' || error.failure === 'aborted') throw error;
    if (/No appropriate name servers/u.test(error.stderr)) return 'no-servers';
    return /not found|does not have any RR|REFUSED|NXDOMAIN/u.test(error.stderr) ? 'answers' : 'silent';
  }
}
