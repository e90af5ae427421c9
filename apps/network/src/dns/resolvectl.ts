/** The resolver, through resolvectl(1). */
import { type Host, ProgramError } from '@incusos/host';

/** Empties its caches. */
export async function flushCaches(host: Host): Promise<void> {
  await host.programs.run(['resolvectl', 'flush-caches']);
}

/** Any name would do; this one is that of the images' own server. */
const probe = 'linuxcontainers.org';

/**
 * Whether a name server answers. That a name doesn't exist, or a refusal, is an answer too.
 * @param timeoutMs of the question.
 */
export async function resolverAnswers(
  host: Host,
  timeoutMs: number,
): Promise<'answers' | 'silent' | 'no-servers'> {
  try {
    await host.programs.run(['resolvectl', 'query', '--cache=no', '--legend=no', probe], { timeoutMs });
    return 'answers';
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
    if (error.failure === 'not-found' || error.failure === 'aborted') throw error;
    if (/No appropriate name servers/u.test(error.stderr)) return 'no-servers';
    return /not found|does not have any RR|REFUSED|NXDOMAIN/u.test(error.stderr) ? 'answers' : 'silent';
  }
}
