/** What has to be true of every system that came up well. */
import assert from 'node:assert/strict';
import { say } from '../../../image/tools/sentence.ts';
import { serviceNames } from '../../../image/tools/service-names.ts';
import type { Rest } from '../../appliance/rest.ts';
import type { TestMachine } from '../harness/test-machine.ts';
import { GaveUp, until } from '../harness/wait.ts';

/** One path of each service that answers from it. */
const paths = [
  '/os/1.0',
  '/os/1.0/applications',
  '/os/1.0/services',
  '/os/1.0/system/kernel',
  '/os/1.0/system/logging',
  '/os/1.0/system/network',
  '/os/1.0/system/provider',
  '/os/1.0/system/resources',
  '/os/1.0/system/security',
  '/os/1.0/system/storage',
  '/os/1.0/system/update',
] as const;

/** How long a machine without KVM, busy with its start, may take for what it answers at once later. */
const busyMs = 5 * 60_000;

/** Reads from the API; a service that doesn't answer in time, as just after a start, is asked again. */
export async function patiently<T>(rest: Rest, path: string): Promise<T> {
  return until(`an answer to ${path}`, busyMs, async () => {
    const envelope = await rest.envelope('GET', path);
    if (envelope.http === 200) return envelope.metadata as T;
    const problem = `GET ${path}: ${envelope.http} ${envelope.error}`;
    throw envelope.http === 503 || envelope.http === 504 ? new Error(problem) : new GaveUp(problem);
  });
}

/** A journal entry (systemd.journal-fields(7)). */
export interface JournalEntry {
  readonly MESSAGE?: unknown;
  readonly PRIORITY?: string;
  readonly _SYSTEMD_UNIT?: string;
  readonly UNIT?: string;
}

/** The messages of this boot's journal. */
export async function journal(rest: Rest): Promise<readonly JournalEntry[]> {
  return patiently(rest, '/os/1.0/debug/log');
}

/** The text of a journal entry; what isn't UTF-8 comes as bytes. */
export function messageOf({ MESSAGE: message }: JournalEntry): string {
  return typeof message === 'string' ? message : '';
}

/** Asserts that each service's process runs, that each answers, and that systemd saw none of them fail. */
export async function assertHealthy(rest: Rest): Promise<void> {
  const processes = await patiently<string>(rest, '/os/1.0/debug/processes');
  for (const name of serviceNames)
    assert.match(processes, new RegExp(`/usr/lib/incus-os/${name}/main\\.mjs`, 'u'), `${name} doesn't run`);
  assert.match(processes, /valkey-server/u, "the job queues' server doesn't run");
  for (const path of paths) await patiently(rest, path);
  const failures = (await journal(rest)).filter(
    (entry) => entry.UNIT !== undefined && /: Failed with result|^Failed to start/u.test(messageOf(entry)),
  );
  assert.deepEqual(
    failures.map((entry) => `${entry.UNIT ?? ''}: ${messageOf(entry)}`),
    [],
    'units failed',
  );
}

interface Security {
  readonly secure_boot_enabled: boolean;
  readonly tpm_status: string;
  readonly encrypted_volumes: readonly { readonly volume: string; readonly state: string }[];
}

/**
 * Asserts what the kernel has to say about it: `/usr` is what the signed kernel names, verified block by block, and root
 * and swap are on encrypted volumes.
 */
export async function assertSealed(machine: TestMachine): Promise<void> {
  const facts = await machine.inGuest(
    [
      'findmnt -no SOURCE /usr',
      'veritysetup status usr | sed -n "s/^ *root hash: *//p"',
      'sed -n "s/.*usrhash=\\([0-9a-f]*\\).*/\\1/p" /proc/cmdline',
      'veritysetup status usr | sed -n "s/^ *status: *//p"',
      'findmnt -no SOURCE /',
      'swapon --noheadings --show=NAME --raw | xargs readlink -f',
      'readlink -f /dev/mapper/swap',
      'dmsetup table root | cut -d " " -f 3',
      'dmsetup table swap | cut -d " " -f 3',
    ].join('\n'),
  );
  const [usr, hash, signed, status, root, swapping, swap, ...kinds] = facts.trimEnd().split('\n');
  assert.equal(usr, '/dev/mapper/usr');
  assert.match(hash ?? '', /^[0-9a-f]{64}$/u);
  assert.equal(hash, signed, '/usr is not what the kernel names');
  assert.equal(status, 'verified');
  assert.equal(root, '/dev/mapper/root');
  assert.equal(swapping, swap, 'swap is elsewhere');
  assert.deepEqual(kinds, ['crypt', 'crypt']);
}

/** Tells how long the boot took, and how much of it each stage. */
export async function tellBootTime(machine: TestMachine): Promise<void> {
  const { output } = await machine.guest('systemd-analyze time');
  say(`  ${output.trim().replaceAll('\n', ' | ')}`);
}

/** Asserts that Secure Boot is on, and that root and swap are encrypted and were opened by the TPM. */
export async function assertSecure(rest: Rest): Promise<void> {
  const { state } = await patiently<{ state: Security }>(rest, '/os/1.0/system/security');
  assert.equal(state.secure_boot_enabled, true, 'Secure Boot is off');
  assert.equal(state.tpm_status, 'ok');
  const volumes = state.encrypted_volumes.map(({ volume, state: opened }) => `${volume}: ${opened}`);
  assert.deepEqual(volumes.toSorted(), ['root: unlocked (TPM)', 'swap: unlocked (TPM)']);
}
