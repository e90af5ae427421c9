import { createServer, type Server } from 'node:net';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConsoleServiceService, type ShowMessageRequest } from '@incusos/contracts/console';
import {
  connectService,
  type RunningService,
  type ServiceClient,
  type ServiceConnection,
  startService,
} from '@incusos/service';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConsoleModule } from './console.module.ts';
import { FakeServices } from './testing/fake-services.ts';
import { played } from './testing/played.ts';

const size = { columns: 80, rows: 25 };
const patience = { timeout: 30_000, interval: 50 };

describe('the console', () => {
  let directory: string;
  let services: FakeServices;
  let gateway: Server;
  let running: RunningService | undefined;
  let connection: ServiceConnection;
  let client: ServiceClient<typeof ConsoleServiceService>;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'con-'));
    vi.stubEnv('INCUSOS_RUN_DIR', directory);
    vi.stubEnv('INCUSOS_DEVICE_DIR', directory);
    vi.stubEnv('INCUSOS_LOG_LEVEL', 'error');
    for (const device of ['tty1', 'ttyS1']) await writeFile(join(directory, device), '');
    services = new FakeServices();
    await services.start();
    gateway = createServer().listen(join(directory, 'unix.socket'));
  });

  afterEach(async () => {
    connection.close();
    await running?.stop();
    running = undefined;
    gateway.close();
    services.killAll();
    vi.unstubAllEnvs();
    await rm(directory, { recursive: true });
  });

  const start = async (): Promise<void> => {
    running = await startService(ConsoleModule, 'console');
    connection = connectService('console');
    client = connection.use(ConsoleServiceService);
  };

  const text = async (device = 'tty1'): Promise<string> =>
    (await played(await readFile(join(directory, device), 'utf8'), size)).join('\n');

  const shows = (pattern: RegExp | string, device?: string): Promise<void> =>
    vi.waitFor(async () => expect(await text(device)).toMatch(pattern), patience);

  /** A message that is shown until `end` is called. */
  const showing = (...requests: ShowMessageRequest[]) => {
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    async function* stream(): AsyncGenerator<ShowMessageRequest> {
      yield* requests;
      await ended;
    }
    const caller = new AbortController();
    const answer = client.showMessage(stream(), { signal: caller.signal });
    return { end, answer, giveUp: () => caller.abort() };
  };

  it('shows what the services say of the machine', async () => {
    services.retrieved = false;
    services.log({ MESSAGE: 'created zpool', INCUSOS_SERVICE: 'storage', PRIORITY: '6' });
    await start();
    await shows(/Status +ready/u);
    await shows(/Applications +incus 7\.0\.2 \[202611120410\]/u);
    await shows(/^ server01 {2}IncusOS 202611200705 .*Europe\/Berlin/u);
    await shows(/^\d\d:\d\d:\d\d storage {6}created zpool$/mu);
    await shows(/Network +enp5s0: 192\.0\.2\.7, 2001:db8::1\n +enp6s0: no address \(no-carrier\)\n Machine/u);
    await shows('WARNING: retrieve the recovery keys');
  });

  it('shows what is logged as soon as it is', async () => {
    await start();
    await shows(/Status +ready/u);
    services.log({
      MESSAGE: [...Buffer.from('\u001B[2Jpool lost')],
      INCUSOS_SERVICE: 'storage',
      PRIORITY: '3',
    });
    await shows('storage      error: \\x1b[2Jpool lost');
  });

  it('says which services do not answer, and keeps what they said', async () => {
    await start();
    await shows('enp5s0: 192.0.2.7');
    services.kill('network');
    gateway.close();
    await rm(join(directory, 'unix.socket'), { force: true });
    await shows(/Status +not answering: network, gateway/u);
    expect(await text()).toContain('enp5s0: 192.0.2.7');
  });

  it('starts before everything else, and waits', async () => {
    services.killAll();
    gateway.close();
    await start();
    await shows(/Status +starting \.\.\. waiting for network, storage, update/u);
    await services.start();
    await shows(/Status +not answering: gateway\n/u);
  });

  it('shows a message for as long as its caller wants it, and no longer than the caller is there', async () => {
    await start();
    const first = showing({ title: 'Installing', text: 'Copying to sda.', progress: 10 });
    await shows(/─ Installing ─.*\n.*\n.*│ Copying to sda\./u);
    const second = showing({ title: 'Hot', text: 'Cool it.' }, { title: 'Hot', text: 'Cool it now.' });
    await shows(/─ Installing ─.* 1\/2/u);
    await shows(/─ Hot ─.* 2\/2 ─┐\n.*\n.*Cool it now\./u);
    second.end();
    await second.answer;
    await shows(/─ Installing ─+┐/u);
    first.giveUp();
    await expect(first.answer).rejects.toMatchObject({ reason: 'CANCELLED' });
    first.end();
    await vi.waitFor(async () => expect(await text()).not.toContain('Installing'), patience);
  });

  it.each([
    [{ title: '', text: 'x' }, 'title', 'a message on the console needs a title'],
    [{ title: 'x'.repeat(61), text: '' }, 'title', 'the title is longer than 60 characters'],
    [{ title: 'x', text: 'x'.repeat(1_001) }, 'text', 'the text is longer than 1000 characters'],
    [{ title: 'x', text: '', progress: 101 }, 'progress', 'progress is not between 0 and 100'],
    [{ title: 'x', text: '', progress: NaN }, 'progress', 'progress is not between 0 and 100'],
  ])('refuses the message %j', async (request, field, message) => {
    await start();
    const { answer, end } = showing(request);
    await expect(answer).rejects.toMatchObject({ reason: 'INVALID_REQUEST', message, fields: [{ field }] });
    end();
  });

  it('refuses more messages than anyone can read', async () => {
    await start();
    const many = Array.from({ length: 20 }, () => showing({ title: 'x', text: '' }));
    await shows(/ \d+\/20 ─┐/u);
    await expect(showing({ title: 'x', text: '' }).answer).rejects.toMatchObject({ reason: 'CONFLICT' });
    for (const { end } of many) end();
    await Promise.all(many.map(({ answer }) => answer));
  });

  it('says that an update waits for the next boot', async () => {
    services.environment = { ...services.environment, os_version_next: '202612010000' };
    await start();
    await shows('IncusOS 202612010000 is in place and starts with the next reboot.');
  });

  it('shows the same on every device that the machine has for it', async () => {
    services.devices = ['tty1', 'ttyS1', '../tty2', 'ttyS9'];
    await start();
    await shows(/Status +ready/u, 'ttyS1');
    await shows(/Status +ready/u);
  });

  it('says that it ends', async () => {
    await start();
    await shows(/Status +ready/u);
    await running?.stop();
    running = undefined;
    expect(await text()).toContain('IncusOS is being stopped or restarted.');
  });
});
