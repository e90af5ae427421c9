import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReleasePublisher } from '@incusos/images/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeMachine, eventually, machine, trustedClient } from './client.ts';

const rest = trustedClient();
const newer = '209901010000';

interface State {
  readonly last_check: string;
  readonly status: string;
  readonly needs_reboot: boolean;
  readonly available_version?: string;
  readonly last_error?: string;
}

async function state(): Promise<State> {
  return (await rest.get<{ state: State }>('/os/1.0/system/update')).state;
}

/** The URL at which the machine reaches a publisher on this computer. */
function reached({ url }: ReleasePublisher): string {
  return url.replace('127.0.0.1', machine.hostAddress);
}

function use(config: Record<string, string>): Promise<unknown> {
  return rest.succeed('PUT', '/os/1.0/system/provider', { json: { config: { name: 'images', config } } });
}

describeMachine('releases', () => {
  let elsewhere: string;
  let publisher: ReleasePublisher;
  let stranger: ReleasePublisher;

  beforeAll(async () => {
    elsewhere = mkdtempSync(join(tmpdir(), 'stranger-'));
    publisher = await ReleasePublisher.start(machine.directory, machine.authorities);
    stranger = await ReleasePublisher.start(elsewhere);
    await publisher.publish([{ version: newer }]);
    await stranger.publish([{ version: '209902020000' }]);
  });

  afterAll(async () => {
    await use({});
    await publisher.close();
    await stranger.close();
    rmSync(elsewhere, { recursive: true, force: true });
    rest.close();
  });

  it('on a server are found by a check that one can wait for', async () => {
    await use({ server_url: reached(publisher) });
    await rest.succeed('POST', '/os/1.0/system/update/:check', { json: { os_only: true } });
    expect(await state()).toMatchObject({
      status: 'Update check completed',
      needs_reboot: false,
      available_version: newer,
    });
  });

  it('are found by a check that goes on after the reply', async () => {
    await use({ server_url: reached(publisher) });
    expect((await state()).available_version).toBeUndefined();
    await rest.succeed('POST', '/os/1.0/system/update/:check');
    await eventually(async () => (await state()).available_version === newer, 'finding the release');
  });

  it('signed by a stranger are refused', async () => {
    await use({ server_url: reached(stranger) });
    const { http, error } = await rest.envelope('POST', '/os/1.0/system/update/:check', {
      json: { os_only: true },
    });
    expect(http).toBe(500);
    expect(error).toContain("the release feed can't be trusted");
    const after = await state();
    expect(after).toMatchObject({ status: 'Failed to check for OS updates', last_error: error });
    expect(after.available_version).toBeUndefined();
  });

  it('of a server that is gone are told as such', async () => {
    const url = reached(stranger);
    await stranger.close();
    await use({ server_url: url });
    const reply = await rest.envelope('POST', '/os/1.0/system/update/:check', { json: { os_only: true } });
    expect([reply.http, reply.error]).toEqual([500, expect.stringContaining('ECONNREFUSED')]);
    stranger = await ReleasePublisher.start(elsewhere);
  });

  it.each([
    [{ name: 'github' }, 'unknown provider "github"'],
    [{ name: '' }, 'a provider name must be specified'],
    [{ name: 'images', config: { server_url: 'ftp://x' } }, 'config.config.server_url: must be an http'],
    [{ name: 'images', config: { update_ca: 'x' } }, 'config.config.update_ca: is not a certificate'],
  ])('do not come from %j', async (config, why) => {
    const before = await rest.get('/os/1.0/system/provider');
    const reply = await rest.envelope('PUT', '/os/1.0/system/provider', { json: { config } });
    expect([reply.http, reply.error]).toEqual([400, expect.stringContaining(why)]);
    expect(await rest.get('/os/1.0/system/provider')).toEqual(before);
  });
});
