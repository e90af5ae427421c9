import { rm } from 'node:fs/promises';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SystemNetworkConfig } from '@incusos/contracts/network';
import type { Host } from '@incusos/host';
import { EmulatedMachine, openEmulatedHost, switchOn } from '@incusos/host-emulated';
import { createLogger } from '@incusos/service';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../testing/network-appliance.ts';
import { ClockService } from './clock.service.ts';
import { setTimeZone, writeTimeServers } from './clock.ts';

const leased = { '20-card.network': '[Match]\nName=enp5s0\n\n[Network]\nDHCP=ipv4\n' };

describe('the clock', () => {
  let machine: EmulatedMachine;
  let host: Host;
  let runs: string[];
  let clock: ClockService;

  beforeEach(async () => {
    machine = new EmulatedMachine(mkdtempSync(join(tmpdir(), 'clock-')));
    machine.create();
    await switchOn(machine);
    const real = openEmulatedHost(machine);
    runs = [];
    host = {
      files: real.files,
      programs: {
        run: (argv, options) => {
          runs.push(argv.join(' '));
          return real.programs.run(argv, options);
        },
        stream: (argv, options) => real.programs.stream(argv, options),
      },
    };
    clock = new ClockService(host, createLogger('network'));
    clock.onApplicationBootstrap();
  });
  afterEach(async () => {
    clock.onApplicationShutdown();
    await host.programs.run(['systemctl', 'stop', 'systemd-timesyncd.service']).catch(() => undefined);
    await rm(machine.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  });

  const config = (...ntp_servers: string[]): SystemNetworkConfig =>
    SystemNetworkConfig.fromPartial({ time: { ntp_servers } });
  const restarts = (): number => runs.filter((line) => line.startsWith('systemctl restart')).length;
  const synchronized = (): Promise<boolean> => Promise.resolve(clock.state?.synchronized === true);

  async function configure(units: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(units))
      await host.files.writeAtomic(`/run/systemd/network/${name}`, text);
    await host.programs.run(['networkctl', 'reload']);
  }

  it('is not spoken of before the time service runs', async () => {
    await sleep(200);
    expect(clock.state).toBeUndefined();
  });

  it('is set by the server of a lease, which is told with the moment of its answer', async () => {
    const before = Date.now();
    await configure(leased);
    clock.follow(config());
    await eventually(synchronized);
    expect(clock.state).toMatchObject({ synchronized: true, server: '192.0.2.1' });
    expect(Date.parse(clock.state?.last_synchronized ?? '')).toBeGreaterThan(before - 1_000);
  });

  it('is set by a configured server where links have none', async () => {
    await configure({
      '20-card.network':
        '[Match]\nName=enp5s0\n\n[Network]\nAddress=192.0.2.5/24\n\n[Route]\nGateway=192.0.2.1\n',
    });
    await writeTimeServers(host, config('time.example.org'));
    clock.follow(config('time.example.org'));
    await eventually(synchronized);
    expect(clock.state?.server).toBe('time.example.org');
  });

  it('waits for a server without asking for it again and again', async () => {
    clock.follow(config());
    await eventually(() => Promise.resolve(clock.state !== undefined));
    runs.length = 0;
    await sleep(1_000);
    expect(clock.state).toEqual({ synchronized: false });
    expect(runs).toEqual([]);
    await configure(leased);
    await eventually(synchronized);
  });

  it('goes on undisturbed when a change has nothing to do with its servers', async () => {
    await configure(leased);
    clock.follow(config());
    await eventually(synchronized);
    clock.follow(config());
    await sleep(300);
    expect(restarts()).toBe(1);
    expect(await synchronized()).toBe(true);
    await writeTimeServers(host, config('192.0.2.1'));
    clock.follow(config('192.0.2.1'));
    await eventually(() => Promise.resolve(restarts() === 2));
  });

  it('has its time service started again by a change when that was stopped', async () => {
    clock.follow(config());
    await eventually(() => Promise.resolve(clock.state !== undefined));
    await host.programs.run(['systemctl', 'stop', 'systemd-timesyncd.service']);
    await eventually(() => Promise.resolve(clock.state === undefined));
    clock.follow(config());
    await eventually(() => Promise.resolve(clock.state !== undefined));
  });

  it('has a zone that is only set where it is another', async () => {
    const zone = (timezone: string): SystemNetworkConfig =>
      SystemNetworkConfig.fromPartial({ time: { timezone } });
    await setTimeZone(host, zone(''));
    expect(runs).toEqual([]);
    await setTimeZone(host, zone('Europe/Paris'));
    await setTimeZone(host, zone('Europe/Paris'));
    await setTimeZone(host, zone('America/Argentina/Ushuaia'));
    await setTimeZone(host, zone(''));
    expect(runs).toEqual(
      ['Europe/Paris', 'America/Argentina/Ushuaia', 'UTC'].map((name) => `timedatectl set-timezone ${name}`),
    );
  });

  it('has a file of its servers for as long as there are any', async () => {
    const file = '/run/systemd/timesyncd.conf';
    await writeTimeServers(host, config('a.example.org', '192.0.2.9'));
    expect(await host.files.readText(file)).toBe('[Time]\nFallbackNTP=a.example.org 192.0.2.9\n');
    await writeTimeServers(host, config());
    expect(await host.files.exists(file)).toBe(false);
  });
});
