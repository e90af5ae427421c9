/**
 * What stands at the other end of an appliance's cables: a small machine of its own with DHCP and DNS servers, NTP, LLDP, a
 * proxy, a KDC, packet capture and what else networks have (`root.ts` lists it). It runs nothing but what a test starts.
 *
 *     const { machine, neighbour, cables: [cable] } = await lab.pair({ cables: 1 });
 *     await neighbour.run(`ip address add 192.0.2.1/24 dev ${cable.port}
 *       dnsmasq --port=0 --interface=${cable.port} --dhcp-range=192.0.2.100,192.0.2.150,1h`);
 *     // … `PUT /os/1.0/system/network` with an interface whose `hwaddr` is `cable.mac` …
 *     await cable.pull();
 *
 * Its cards are `port1` to `port8`, up and without addresses; the kernel takes none from router advertisements. A script
 * has a root shell; what it starts in the background stays, if its output goes elsewhere (`setsid CMD >/tmp/log 2>&1 &`).
 *
 * Invariants: each port has one cable at most, and no link without one; the machine ends with this process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, linkSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { insideArgv } from '../../../image/tools/roots.ts';
import { type GuestAnswer, guestArgv, guestSocket, runInGuest, succeedInGuest } from '../harness/guest.ts';
import type { Host, TestMachine } from '../harness/test-machine.ts';
import { GaveUp, until } from '../harness/wait.ts';
import { Qmp } from '../qmp.ts';
import { Cable, cableSocket, portName } from './cable.ts';
import { rootFiles } from './root.ts';

export const portCount = 8;
const memoryMiB = 1024;
const startMs = 5 * 60_000;
const memoryFile = 'memory';

export interface NeighbourPlaces {
  /** With its kernel and disk. */
  readonly root: string;
  /** Its own; short, since there are sockets in it. */
  readonly directory: string;
  /** Where the sockets are that cables are made of; short too. */
  readonly cables: string;
}

export class Neighbour {
  readonly directory: string;
  private readonly host: Host;
  private readonly places: NeighbourPlaces;
  private readonly taken = new Set<number>();
  private qemu: ChildProcess | undefined;
  private control: Qmp | undefined;
  private readonly atExit = (): void => void this.qemu?.kill('SIGKILL');

  private constructor(host: Host, places: NeighbourPlaces) {
    this.host = host;
    this.places = places;
    this.directory = places.directory;
  }

  /** Starts it from nothing. */
  static async boot(host: Host, places: NeighbourPlaces): Promise<Neighbour> {
    const neighbour = new Neighbour(host, places);
    await neighbour.start([]);
    await neighbour.run('true', startMs);
    return neighbour;
  }

  /** Has it go on where it was {@link keep | kept}. @param from the directory in which it was kept. */
  static async restore(host: Host, places: NeighbourPlaces, from: string): Promise<Neighbour> {
    const neighbour = new Neighbour(host, places);
    mkdirSync(places.directory, { recursive: true });
    linkSync(join(from, memoryFile), join(places.directory, memoryFile));
    await neighbour.start(['-incoming', `file:/vm/${memoryFile}`]);
    await until(
      "the return of the neighbour's memory",
      startMs,
      async () => ((await neighbour.qmp.status()) === 'inmigrate' ? undefined : true),
      { everyMs: 100 },
    );
    await neighbour.qmp.ask('cont');
    await neighbour.run(`date --set=@${Math.floor(Date.now() / 1_000)}`);
    return neighbour;
  }

  /** Keeps it as it is, with its memory, and ends it. @param target a directory that is there, on the same file system. */
  async keep(target: string): Promise<void> {
    await this.qmp.ask('stop');
    await this.qmp.ask('migrate', { uri: `file:/vm/${memoryFile}` });
    await until("the copy of the neighbour's memory", startMs, async () => {
      const { status } = (await this.qmp.ask('query-migrate')) as { status?: string };
      if (status === 'failed') throw new GaveUp("QEMU could not write the neighbour's memory");
      return status === 'completed' ? true : undefined;
    });
    await this.end();
    linkSync(join(this.directory, memoryFile), join(target, memoryFile));
  }

  /**
   * Has it run a script as root, by `/bin/sh`.
   * @returns what the script wrote to standard output and error.
   * @throws Error with that when the exit code isn't 0, or it takes longer than two minutes or `limitMs`.
   */
  run(script: string, limitMs?: number): Promise<string> {
    return succeedInGuest(this.guestSocket, script, limitMs);
  }

  /** As {@link run}, for a script that may fail. */
  ask(script: string, limitMs?: number): Promise<GuestAnswer> {
    return runInGuest(this.guestSocket, script, limitMs);
  }

  /**
   * Puts a cable between one more of its ports and a new card of a running machine.
   * @param nic the card's name, such as `enp6s0`, from which its MAC follows.
   */
  async connect(machine: TestMachine, nic: string): Promise<Cable> {
    const port = Array.from({ length: portCount }, (_, index) => index + 1).find(
      (one) => !this.taken.has(one),
    );
    if (port === undefined) throw new Error(`the neighbour's ${portCount} ports have cables already`);
    this.taken.add(port);
    await this.setLink(port, true);
    const mac = await machine.addNic(`${nic}=cable:${port}`);
    return new Cable({ machine, nic, mac, port, setLink: (up) => this.setLink(port, up) });
  }

  /** What another process reaches its shell by. */
  get guestSocket(): string {
    return join(this.directory, guestSocket);
  }

  isRunning(): boolean {
    return this.qemu?.pid !== undefined && this.qemu.exitCode === null && this.qemu.signalCode === null;
  }

  /** Ends it. */
  async end(): Promise<void> {
    this.control?.close();
    this.control = undefined;
    this.qemu?.kill('SIGKILL');
    while (this.isRunning()) await sleep(20);
    process.off('exit', this.atExit);
  }

  private get qmp(): Qmp {
    if (this.control === undefined) throw new Error('the neighbour is off');
    return this.control;
  }

  private async setLink(port: number, up: boolean): Promise<void> {
    await this.qmp.ask('set_link', { name: cardOf(port), up });
  }

  private async start(more: readonly string[]): Promise<void> {
    const { root, directory, cables } = this.places;
    for (const path of [directory, cables]) mkdirSync(path, { recursive: true });
    const mounts = { '/vm': directory, '/base': root, '/cables': cables };
    const argv = insideArgv(this.host.tools, mounts, [...this.argv(), ...more], '/vm');
    const log = openSync(join(directory, 'qemu.log'), 'w');
    this.qemu = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...argv], {
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
    process.on('exit', this.atExit);
    this.control = await until(
      "the neighbour's QEMU",
      startMs,
      async () => {
        if (!this.isRunning()) throw new GaveUp(`QEMU ended:\n${this.qemuLog()}`);
        return Qmp.connect(join(directory, 'qmp.sock'));
      },
      { everyMs: 50 },
    );
    for (let port = 1; port <= portCount; port += 1) await this.setLink(port, false);
  }

  private qemuLog(): string {
    const path = join(this.directory, 'qemu.log');
    return existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
  }

  private argv(): string[] {
    const kvm = this.host.accelerator === 'kvm';
    return [
      ...['qemu-system-x86_64', '-nodefaults', '-name', 'neighbour', '-machine', 'pc,usb=off', '-no-reboot'],
      ...(kvm ? ['-accel', 'kvm', '-cpu', 'host'] : ['-accel', 'tcg', '-cpu', 'max']),
      ...['-smp', '1', '-m', String(memoryMiB), '-display', 'none', '-serial', 'file:/vm/serial.log'],
      ...['-kernel', `/base/${rootFiles.kernel}`, '-initrd', `/base/${rootFiles.initrd}`],
      ...['-append', 'console=ttyS0 quiet panic=-1 mitigations=off net.ifnames=0'],
      ...['-drive', `if=none,id=root,format=raw,readonly=on,file=/base/${rootFiles.root}`],
      ...['-device', 'virtio-blk-pci,drive=root', '-device', 'virtio-rng-pci'],
      ...Array.from({ length: portCount }, (_, index) => portArgv(index + 1)).flat(),
      ...guestArgv,
      ...['-qmp', 'unix:/vm/qmp.sock,server=on,wait=off'],
    ];
  }
}

const cardOf = (port: number): string => `card-${portName(port)}`;

/** It listens, so that a machine can come, go and come again. */
function portArgv(port: number): string[] {
  const name = portName(port);
  const listening = `stream,id=${name},server=on,addr.type=unix,addr.path=${cableSocket(port)}`;
  // The last byte tells its system which port it is.
  const mac = `52:54:00:6e:62:${port.toString(16).padStart(2, '0')}`;
  return [
    '-netdev',
    listening,
    '-device',
    `virtio-net-pci,id=${cardOf(port)},netdev=${name},mac=${mac},romfile=`,
  ];
}
