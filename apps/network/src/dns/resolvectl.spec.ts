import { type Host, LocalFiles, ProgramError, type RunResult } from '@incusos/host';
import { describe, expect, it } from 'vitest';
import { resolverAnswers } from './resolvectl.ts';

const notFound = "linuxcontainers.org: resolve call failed: 'linuxcontainers.org' not found";
const unreachable =
  'linuxcontainers.org: resolve call failed: All attempts to contact name servers or networks failed';
const noServers =
  'linuxcontainers.org: resolve call failed: No appropriate name servers or networks for name found';

/**
 * A machine whose resolver says this of each link, and `everywhere` when it isn't told which to ask. Of what nothing is
 * said it waits for an answer until nobody wants it any more.
 */
function resolving(sayings: Readonly<Record<string, string>>): Host {
  const failed = (failure: 'failed' | 'aborted', stderr: string): ProgramError =>
    new ProgramError(failure, 'resolvectl', stderr, 1, stderr);
  return {
    files: new LocalFiles('/nowhere'),
    programs: {
      run: (argv, { signal } = {}) =>
        new Promise<RunResult>((resolve, reject) => {
          const link = argv.find((word) => word.startsWith('--interface='))?.slice('--interface='.length);
          const said = sayings[link ?? 'everywhere'];
          if (said === '') resolve({ exitCode: 0, stdout: 'an address', stderr: '' });
          else if (said !== undefined) reject(failed('failed', said));
          signal?.addEventListener('abort', () => reject(failed('aborted', '')));
        }),
      stream: () => {
        throw new Error('nothing is streamed');
      },
    },
  };
}

describe('whether a name server answers', () => {
  it.each([
    ['a name is found', { everywhere: '' }, 'answers'],
    ['a name is not found', { everywhere: notFound }, 'answers'],
    ['one link answers, and another one never does', { _va: notFound }, 'answers'],
    ['no server is reached', { everywhere: unreachable, _va: unreachable, _vb: noServers }, 'silent'],
    ['no link has a server', { everywhere: noServers, _va: noServers, _vb: noServers }, 'no-servers'],
  ])('is known when %s', async (_case, sayings, expected) => {
    await expect(resolverAnswers(resolving(sayings), ['_va', '_vb'], 1_000)).resolves.toBe(expected);
  });
});
