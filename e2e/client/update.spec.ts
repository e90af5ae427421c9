import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalPrograms } from '@incusos/host';
import { ReleasePublisher } from '@incusos/images/testing';
import { parse } from 'yaml';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeMachine, eventually, machine } from '../api/client.ts';
import { checkout } from '../appliance/checkout.ts';

const programs = new LocalPrograms();

describeMachine('the official client', () => {
  let program: string;
  let scratch: string;
  let publisher: ReleasePublisher;
  let stranger: ReleasePublisher;

  const os = async (words: string, stdin?: string): Promise<string> => {
    const { stdout } = await programs.run([program, 'admin', 'os', ...words.split(' ')], {
      env: { INCUS_CONF: join(machine.directory, 'incus'), HOME: scratch },
      timeoutMs: 120_000,
      ...(stdin === undefined ? {} : { stdin }),
    });
    return stdout;
  };

  const use = (publishers: ReleasePublisher): Promise<string> =>
    os(
      'system provider edit',
      JSON.stringify({
        config: {
          name: 'images',
          config: { server_url: publishers.url.replace('127.0.0.1', machine.hostAddress) },
        },
      }),
    );

  const status = async (): Promise<Record<string, unknown>> =>
    (parse(await os('system update show')) as { state: Record<string, unknown> }).state;

  beforeAll(async () => {
    const { stdout } = await programs.run([join(checkout, 'bin/official-client')], {
      timeoutMs: 300_000,
      env: { HOME: process.env['HOME'] ?? '/root' },
    });
    program = stdout.trim();
    scratch = mkdtempSync(join(tmpdir(), 'client-update-'));
    publisher = await ReleasePublisher.start(machine.directory, machine.authorities);
    stranger = await ReleasePublisher.start(scratch);
    await publisher.publish([{ version: '209901010000' }]);
    await stranger.publish([{ version: '209902020000' }]);
  });

  afterAll(async () => {
    await os('system provider edit', JSON.stringify({ config: { name: 'images' } }));
    await publisher.close();
    await stranger.close();
    rmSync(scratch, { recursive: true, force: true });
  });

  it('has a release looked for and found', async () => {
    await use(publisher);
    await os('system update check', 'yes\n');
    await eventually(async () => (await status())['status'] === 'Update check completed', 'the check');
    expect((await status())['available_version']).toBe('209901010000');
  });

  it('has the release of a stranger refused', async () => {
    await use(stranger);
    await os('system update check', 'yes\n');
    await eventually(
      async () => (await status())['status'] === 'Failed to check for OS updates',
      'the refusal',
    );
    expect((await status())['last_error']).toContain("can't be trusted");
  });
});
