import { createHash } from 'node:crypto';
import { afterAll, expect, it } from 'vitest';
import { describeMachine, eventually, machine, trustedClient } from './client.ts';

const rest = trustedClient();
afterAll(() => rest.close());

const logging = '/os/1.0/system/logging';
const syslog = (address: string): object => ({
  config: { syslog: { address, protocol: 'udp', log_format: 'rfc5424' } },
});

async function syslogAddress(): Promise<string> {
  return (await rest.get<{ config: { syslog: { address: string } } }>(logging)).config.syslog.address;
}

function stateDirectory(service: string): string {
  return `/var/lib/incus-os/${service}`;
}

describeMachine('a fault', () => {
  it('in a service that is killed while it is read gives 503 in a sentence, and heals by itself', async () => {
    const answers: number[] = [];
    const reading = (async () => {
      for (let count = 0; count < 200; count += 1) {
        const { http, error } = await rest.envelope('GET', '/os/1.0/system/storage');
        answers.push(http);
        if (http !== 200)
          expect(error).toMatch(/storage service (?:is not available right now|did not answer)/u);
        if (http !== 200) await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    await machine.kill('storage');
    await reading;
    expect(answers.filter((status) => status !== 200 && status !== 503)).toEqual([]);
    expect(answers).toContain(503);
    await eventually(
      async () => (await rest.envelope('GET', '/os/1.0/system/storage')).http === 200,
      'the recovery',
    );
  });

  it('in a service that is killed while it writes leaves the old or the new configuration', async () => {
    let port = 1;
    await rest.succeed('PUT', logging, { json: syslog(`192.0.2.1:${port}`) });
    for (let round = 0; round < 4; round += 1) {
      // The kill falls somewhere in a row of writes, of which one fails by it.
      const kill = { failed: false };
      const killing = machine.kill('system').catch((error: unknown) => {
        kill.failed = true;
        throw error;
      });
      let allowed: string[];
      do {
        const [old, wanted] = [`192.0.2.1:${port}`, `192.0.2.1:${port + 1}`];
        const { http } = await rest.envelope('PUT', logging, { json: syslog(wanted) });
        port += 1;
        allowed = http === 200 ? [] : [old, wanted];
      } while (allowed.length === 0 && !kill.failed);
      await killing;
      await eventually(async () => (await syslogAddress()) !== '', 'the recovery');
      const now = await syslogAddress();
      expect(allowed).toContain(now);
      port = Number(now.split(':')[1]);
    }
  });

  it('in the job queue leaves reads, configuration and checks working', async () => {
    await machine.kill('valkey');
    expect((await rest.envelope('GET', '/os/1.0/system/storage')).http).toBe(200);
    await rest.succeed('PUT', '/os/1.0/system/storage', {
      json: { config: { scrub_schedule: '15 3 * * 1' } },
    });
    expect(
      (await rest.get<{ config: { scrub_schedule: string } }>('/os/1.0/system/storage')).config
        .scrub_schedule,
    ).toBe('15 3 * * 1');
    await rest.succeed('PUT', '/os/1.0/system/storage', {
      json: { config: { scrub_schedule: '0 4 * * 0' } },
    });
    await rest.succeed('PUT', '/os/1.0/system/update', {
      json: { config: { channel: 'stable', check_frequency: '6h', auto_reboot: false } },
    });
  });

  it('of two writes at once leaves one of them, whole', async () => {
    const addresses = Array.from({ length: 8 }, (_value, index) => `192.0.2.${index + 1}:514`);
    const replies = await Promise.all(
      addresses.map((address) => rest.envelope('PUT', logging, { json: syslog(address) })),
    );
    expect(replies.map(({ http }) => http)).toEqual(addresses.map(() => 200));
    expect(addresses).toContain(await syslogAddress());
  });

  it('of a full disk is told as such, and changes nothing', async () => {
    const before = await syslogAddress();
    await machine.fillDisk('/var/lib/incus-os/system');
    const { http, error } = await rest.envelope('PUT', logging, { json: syslog('192.0.2.200:514') });
    await machine.freeDisk('/var/lib/incus-os/system');
    expect([http, error]).toEqual([507, expect.stringContaining('no space is left on the disk')]);
    expect(await syslogAddress()).toBe(before);
    await rest.succeed('PUT', logging, { json: syslog('192.0.2.201:514') });
  });

  it('of a state file cut short is told with its name; it is kept, and the previous version can be gone on with', async () => {
    await rest.succeed('PUT', logging, { json: syslog('192.0.2.50:514') });
    await rest.succeed('PUT', logging, { json: syslog('192.0.2.51:514') });
    const file = `${stateDirectory('system')}/state.json`;
    const whole = await machine.readText(file);
    const half = whole.slice(0, Math.floor(whole.length / 2));
    const refusedBefore = await machine.list(`${stateDirectory('system')}/refused`);
    await machine.writeText(file, half);
    await machine.kill('system');
    await eventually(
      async () => (await syslogAddress()) === '192.0.2.50:514',
      'reading the previous version',
    );
    const refused = await rest.envelope('PUT', logging, { json: syslog('192.0.2.52:514') });
    expect([refused.http, refused.error]).toEqual([
      503,
      expect.stringContaining('/var/lib/incus-os/system/state.json'),
    ]);
    expect(refused.error).toContain('previous version');
    expect(await machine.readText(file)).toBe(half);
    await rest.succeed('POST', '/os/1.0/system/:recover-state', {
      json: { service: 'system', use: 'previous' },
    });
    expect(await machine.list(`${stateDirectory('system')}/refused`)).toHaveLength(refusedBefore.length + 1);
    await rest.succeed('PUT', logging, { json: syslog('192.0.2.52:514') });
    expect(await syslogAddress()).toBe('192.0.2.52:514');
  });

  it('of a state file from a newer release is refused the same way', async () => {
    const file = `${stateDirectory('update')}/state.json`;
    await rest.succeed('PUT', '/os/1.0/system/update', {
      json: { config: { channel: 'stable', check_frequency: '5h', auto_reboot: false } },
    });
    const whole = await machine.readText(file);
    const body = (whole.split('\n')[0] ?? '').replace(/"version":\d+/u, '"version":999');
    await machine.writeText(file, `${body}\nsha256:${createHash('sha256').update(body).digest('hex')}\n`);
    await machine.kill('update');
    await eventually(async () => {
      const reply = await rest.envelope('PUT', '/os/1.0/system/update', {
        json: { config: { channel: 'stable', check_frequency: '6h', auto_reboot: false } },
      });
      return reply.http === 503 && reply.error.includes('has version 999');
    }, 'the refusal');
    await rest.succeed('POST', '/os/1.0/system/:recover-state', {
      json: { service: 'update', use: 'previous' },
    });
    await rest.succeed('PUT', '/os/1.0/system/update', {
      json: { config: { channel: 'stable', check_frequency: '6h', auto_reboot: false } },
    });
  });

  it('of the power takes nothing that was saved', async () => {
    await rest.succeed('PUT', logging, { json: syslog('192.0.2.77:514') });
    await machine.hardware('power', 'cut');
    await eventually(
      () =>
        rest.envelope('GET', '/os/1.0').then(
          () => false,
          () => true,
        ),
      'the silence',
    );
    await machine.hardware('power', 'on');
    await eventually(async () => (await syslogAddress()) === '192.0.2.77:514', 'the return');
  });
});
