import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Host } from '@incusos/host';
import { EmulatedMachine, openEmulatedHost, switchOn } from '@incusos/host-emulated';
import type { Logger } from '@incusos/service';
import type { StateStore } from '@incusos/state';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ApplicationsState, openApplicationsState } from '../state/applications-state.ts';
import { InstalledService } from './installed.service.ts';

let directory: string;
let host: Host;
const error = vi.fn<(message: string, details?: unknown) => void>();
const logger = { error, info: vi.fn() } as unknown as Logger;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'app-'));
  const machine = new EmulatedMachine(directory);
  machine.create();
  await switchOn(machine);
  host = openEmulatedHost(machine);
  error.mockClear();
});

afterEach(() => rmSync(directory, { recursive: true }));

async function seed(...names: string[]): Promise<void> {
  const tar = pack();
  const applications = names.map((name) => ({ name }));
  tar.entry({ name: 'applications.json' }, JSON.stringify({ version: '1', applications }));
  tar.finalize();
  const partition = await host.files.realPath('/dev/disk/by-partlabel/seed-data');
  await host.files.writeAtomic(partition, await buffer(tar));
}

/** The state after a start of the service. */
async function started(): Promise<StateStore<ApplicationsState>> {
  const state = await openApplicationsState(host);
  await new InstalledService(host, state, logger).adopt();
  return state;
}

describe('the applications that a seed asks for', () => {
  it('are remembered from the first start on', async () => {
    await seed('openfga', 'incus', 'debug', 'openfga');
    const { current } = await started();
    expect(current.wanted).toEqual(['debug', 'incus', 'openfga']);
    expect(Object.keys(current.applications)).toEqual(['incus']);
    await seed('debug');
    expect((await started()).current).toEqual(current);
    expect(error).not.toHaveBeenCalled();
  });

  it('are none without a seed', async () => {
    expect((await started()).current.wanted).toEqual([]);
  });

  it.each([
    [['incus', 'nextcloud'], "applications seed: applications[1].name: unknown application 'nextcloud'"],
    [
      ['operations-center', 'incus'],
      'applications seed: applications: more than one primary application present in installation list: incus, operations-center',
    ],
  ])('are none when %j can not be had, which the log says', async (names, problem) => {
    await seed(...names);
    const { current } = await started();
    expect(current.wanted).toEqual([]);
    expect(Object.keys(current.applications)).toEqual(['incus']);
    expect(error.mock.calls).toEqual([['The applications seed is not used', { error: problem }]]);
  });

  it('are none in a backup from before they were remembered', async () => {
    const state = await started();
    const old = { applications: {} } as unknown as ApplicationsState;
    expect(state.parseExport(state.exportText(old), 'backup')).toEqual({ applications: {}, wanted: [] });
  });
});
