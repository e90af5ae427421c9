import { describe, expect, it } from 'vitest';
import { type HostFacts, hostProblem } from './host-check.ts';

const good: HostFacts = {
  uid: 0,
  osRelease: 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n',
  cache: '/var/cache/image',
  free: 20 * 1024 ** 3,
  missing: [],
};

describe('a machine that is to build the image', () => {
  it('is fine as Debian 12 or 13 with root and space', () => {
    expect(hostProblem(good)).toBeUndefined();
    expect(hostProblem({ ...good, osRelease: 'ID=debian\nVERSION_ID="13"\n' })).toBeUndefined();
  });

  it.each([
    [{ uid: 1000 }, /needs root/u],
    [{ osRelease: 'ID=ubuntu\nVERSION_ID="24.04"\n' }, /this is ubuntu 24\.04/u],
    [{ osRelease: 'ID=debian\nVERSION_ID="11"\n' }, /this is debian 11/u],
    [{ osRelease: '' }, /this is something else/u],
    [{ free: 3.25 * 1024 ** 3 }, /12 GiB below \/var\/cache\/image, and there are 3\.3 GiB free/u],
    [{ missing: [['/usr/bin/git', 'git']] as const }, /^\/usr\/bin\/git is missing: apt-get install git\.$/u],
  ])('is told what is wrong: %j', (facts, sentence) => {
    expect(hostProblem({ ...good, ...facts })).toMatch(sentence);
  });
});
