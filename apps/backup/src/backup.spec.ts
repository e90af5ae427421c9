/** Backup and restore over real sockets, with processes that are killed at the worst moments. */
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { DomainError } from '@incusos/service';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { readArchive } from './archive/read-archive.ts';
import { writeArchive } from './archive/write-archive.ts';
import { MachineUnderTest, owners } from './testing/machine-under-test.ts';

let programs: string;
let machine: MachineUnderTest;

beforeAll(async () => {
  programs = await MachineUnderTest.build();
});

afterAll(async () => {
  await rm(programs, { recursive: true, force: true });
});

beforeEach(async () => {
  machine = await MachineUnderTest.create(programs);
  await machine.start();
});

afterEach(async () => {
  await machine.remove();
});

async function failure(call: Promise<unknown>): Promise<DomainError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof DomainError) return error;
  throw new Error(`expected a DomainError, got ${String(error)}`);
}

/** A backup of a machine whose services say `old`, after which they say `new`. */
async function oldBackup(): Promise<Buffer> {
  await machine.setAll('old');
  const archive = await machine.backup();
  await machine.setAll('new');
  return archive;
}

async function eventually(condition: () => Promise<boolean>): Promise<void> {
  await vi.waitUntil(condition, { timeout: 60_000, interval: 50 });
}

async function succeeds(call: Promise<unknown>): Promise<boolean> {
  return call.then(
    () => true,
    () => false,
  );
}

describe('a backup', () => {
  test('names the release and holds state and keys of every service', async () => {
    const archive = await oldBackup();
    const read = await readArchive(chunksOf(archive));
    expect([read.osName, read.osRelease]).toEqual(['IncusOS', '202610010000']);
    expect(read.services.map(({ service }) => service).toSorted()).toEqual([...owners].toSorted());
    for (const { files } of read.services) expect([...files.keys()]).toEqual(['state.json', 'secret.key']);
  });

  test('of a machine whose services are not all there fails and names the one that is away', async () => {
    await oldBackup();
    await machine.kill('storage');
    const error = await failure(machine.backup());
    expect([error.reason, error.message]).toEqual([
      'UNAVAILABLE',
      'the storage service is not available right now, try again',
    ]);
    await machine.start('storage');
    await eventually(async () => succeeds(machine.backup()));
  });
});

describe('a restore', () => {
  test('brings the earlier state back in every service, and then the machine is rebooted once', async () => {
    const archive = await oldBackup();
    await machine.restore(archive, ['network-macs', 'unheard-of']);
    expect(await machine.words()).toEqual(['old', 'old network-macs unheard-of']);
    await eventually(async () => (await machine.reboots()) === 1);
    await machine.restore(archive);
    expect(await machine.words()).toEqual(['old']);
    expect(await machine.keptAside()).toEqual([]);
  });

  test('of an archive that is cut short or altered anywhere changes nothing', async () => {
    const archive = await oldBackup();
    for (let length = 0; length < archive.length; length += 97) {
      const error = await failure(machine.restore(archive.subarray(0, length)));
      expect([error.reason, error.message], `cut at ${length}`).toEqual([
        'INVALID_REQUEST',
        expect.stringContaining("the backup can't be used"),
      ]);
      const altered = Buffer.from(archive);
      altered[length + 10] = (altered[length + 10] ?? 0) ^ 0xff;
      expect((await failure(machine.restore(altered))).reason, `altered at ${length + 10}`).toBe(
        'INVALID_REQUEST',
      );
    }
    expect(await machine.words()).toEqual(['new']);
    expect(await machine.keptAside()).toEqual([]);
    expect(await machine.reboots()).toBe(0);
  });

  test('that one service refuses changes nothing in any, and says why', async () => {
    const archive = await oldBackup();
    await machine.refuse('security', 'at least one recovery passphrase must be provided');
    const error = await failure(machine.restore(archive));
    expect([error.reason, error.message]).toEqual([
      'INVALID_REQUEST',
      'unable to process state from backup: at least one recovery passphrase must be provided',
    ]);
    expect(await machine.words()).toEqual(['new']);
    await eventually(async () => (await machine.keptAside()).length === 0);
  });

  test('of a state that one service does not know changes nothing', async () => {
    const archive = await oldBackup();
    const read = await readArchive(chunksOf(archive));
    const newer = read.services.map((part) =>
      part.service === 'update' ? { ...part, schemaVersion: 2 } : part,
    );
    const error = await failure(machine.restore(await archiveOf({ ...read, services: newer })));
    expect(error.message).toContain('version 2 of the update state, but this release knows versions up to 1');
    const foreign = read.services.map((part) =>
      part.service === 'update' ? { ...part, service: 'pipes' } : part,
    );
    expect(
      (await failure(machine.restore(await archiveOf({ ...read, services: foreign })))).message,
    ).toContain("the service 'pipes', which isn't there");
    expect(await machine.words()).toEqual(['new']);
  });

  test('while another one is under way is refused', async () => {
    const archive = await oldBackup();
    await machine.hold('network', 'stage');
    const first = machine.restore(archive);
    await machine.held('network', 'stage');
    expect((await failure(machine.restore(archive))).reason).toBe('CONFLICT');
    await machine.release('network', 'stage');
    await first;
    expect(await machine.words()).toEqual(['old']);
  });

  test('with a service killed before it was decided changes nothing, and works once the service is back', async () => {
    const archive = await oldBackup();
    await machine.hold('storage', 'stage');
    const restore = failure(machine.restore(archive));
    await machine.held('storage', 'stage');
    await machine.kill('storage');
    expect((await restore).reason).toBe('UNAVAILABLE');
    await machine.release('storage', 'stage');
    expect((await failure(machine.restore(archive))).message).toContain('still being cleaned up');
    await machine.start('storage');
    expect(await machine.words()).toEqual(['new']);
    await eventually(async () => (await machine.keptAside()).length === 0);
    await eventually(async () => succeeds(machine.restore(archive)));
    expect(await machine.words()).toEqual(['old']);
  });

  test('with a service killed between staging and commit is completed when the service is back', async () => {
    const archive = await oldBackup();
    for (let attempt = 1; ; attempt += 1) {
      await machine.hold('storage', 'stage');
      let answered = false;
      const restore = succeeds(machine.restore(archive)).finally(() => (answered = true));
      await machine.held('storage', 'stage');
      await eventually(async () => (await machine.keptAside()).includes('network'));
      // The answer that it is kept aside may still be on its way; killed before, the restore is refused.
      await sleep(100 * attempt);
      await machine.kill('network');
      await machine.release('storage', 'stage');
      await eventually(async () => answered || (await machine.words()).includes('old'));
      await machine.start('network');
      const done = await restore;
      expect(await machine.words()).toEqual([done ? 'old' : 'new']);
      if (done) break;
      await eventually(async () => !(await machine.committing()) && (await machine.keptAside()).length === 0);
    }
    await eventually(async () => (await machine.reboots()) === 1);
  });

  test('interrupted by the death of the backup service before it was decided changes nothing', async () => {
    const archive = await oldBackup();
    await machine.hold('storage', 'stage');
    const restore = failure(machine.restore(archive));
    await machine.held('storage', 'stage');
    await machine.kill('backup');
    await restore;
    await machine.release('storage', 'stage');
    await machine.start('backup');
    await eventually(async () => (await machine.keptAside()).length === 0);
    expect(await machine.words()).toEqual(['new']);
    // Refused while the record of the one that was broken off is still being cleared.
    await eventually(async () => succeeds(machine.restore(archive)));
    expect(await machine.words()).toEqual(['old']);
  });

  test('interrupted by the death of the backup service after it was decided is completed at its next start', async () => {
    const archive = await oldBackup();
    await machine.kill('others');
    await machine.start('others');
    await machine.hold('network', 'apply');
    const restore = failure(machine.restore(archive));
    await machine.held('network', 'apply');
    await machine.kill('backup');
    await restore;
    await machine.release('network', 'apply');
    await machine.start('backup');
    await eventually(async () => (await machine.reboots()) === 1);
    expect(await machine.words()).toEqual(['old']);
    expect(await machine.keptAside()).toEqual([]);
  });

  test('is refused while the record of restores under way is damaged, until that is recovered', async () => {
    const archive = await oldBackup();
    await machine.restore(archive);
    await machine.setAll('new');
    await machine.kill('backup');
    await machine.files.writeAtomic('/var/lib/incus-os/backup/state.json', 'rubbish');
    await machine.start('backup');
    const error = await failure(machine.restore(archive));
    expect([error.reason, error.message]).toEqual(['UNAVAILABLE', expect.stringContaining('cut short')]);
    await machine.backup();
    expect(await machine.words()).toEqual(['new']);
    await machine.recoverJournal('previous');
    await eventually(async () => succeeds(machine.restore(archive)));
    expect(await machine.words()).toEqual(['old']);
  });

  test(
    'interrupted by any death at any instant leaves all services with the old or all with the new state',
    { timeout: 240_000 },
    async () => {
      const archive = await oldBackup();
      const outcomes = new Set<string>();
      for (let round = 0; round < 8; round += 1) {
        await machine.setAll('new');
        const restore = machine.restore(archive).catch(() => undefined);
        await sleep(round * 10);
        const victim = (['backup', 'network', 'others', 'storage'] as const)[round % 4] ?? 'backup';
        await machine.kill(victim);
        await machine.start(victim);
        await restore;
        await eventually(async () => (await machine.keptAside()).length === 0);
        await eventually(async () => !(await machine.committing()) && (await machine.words()).length === 1);
        outcomes.add((await machine.words()).join());
      }
      expect([...outcomes].every((outcome) => outcome === 'old' || outcome === 'new')).toBe(true);
    },
  );
});

async function* chunksOf(archive: Buffer): AsyncGenerator<Buffer> {
  yield archive;
}

async function archiveOf(backup: Parameters<typeof writeArchive>[0]): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of writeArchive(backup)) parts.push(part);
  return Buffer.concat(parts);
}
