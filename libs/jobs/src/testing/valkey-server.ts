/** A real Valkey, or Redis where Valkey isn't installed, on a unix socket in a directory of the test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalPrograms, type ProgramStream } from '@incusos/host';

export class ValkeyServer {
  readonly socket: string;
  private running: ProgramStream | undefined;

  private constructor(
    private readonly directory: string,
    private readonly program: string,
  ) {
    this.socket = join(directory, 'valkey.sock');
  }

  static async create(): Promise<ValkeyServer> {
    const programs = new LocalPrograms();
    for (const program of ['valkey-server', 'redis-server']) {
      const found = await programs
        .run([program, '--version'], { acceptExitCodes: 'any' })
        .catch(() => undefined);
      if (found !== undefined) return new ValkeyServer(await mkdtemp(join(tmpdir(), 'valkey-')), program);
    }
    throw new Error('these tests need valkey-server or redis-server, from the Debian package of that name');
  }

  /** Starts it, empty, and waits until it answers. */
  async start(): Promise<void> {
    const options = [
      '--port',
      '0',
      '--unixsocket',
      this.socket,
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      this.directory,
    ];
    this.running = new LocalPrograms().stream([this.program, ...options]);
    this.running.stdout.resume();
    for (let attempt = 0; attempt < 600; attempt += 1) {
      if (await this.answers()) return;
      await sleep(50);
    }
    throw new Error(`${this.program} does not answer on ${this.socket}`);
  }

  /** Kills it; what it held is gone. */
  async kill(): Promise<void> {
    this.running?.stop();
    await this.running?.finished.catch(() => undefined);
    this.running = undefined;
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }

  private answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const probe = connect(this.socket, () => probe.write('PING\r\n'));
      probe.once('data', (data) => {
        probe.destroy();
        resolve(data.toString().startsWith('+PONG'));
      });
      probe.once('error', () => resolve(false));
    });
  }
}
