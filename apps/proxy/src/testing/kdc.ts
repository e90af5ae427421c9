/** A real KDC (krb5kdc of Debian's krb5-kdc) on a free port of this machine, with a database of its own. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalPrograms, type RunningProcess, startProcess } from '@incusos/host';
import { freePort } from './ports.ts';

export class Kdc {
  private process: RunningProcess | undefined;

  private constructor(
    readonly realm: string,
    private readonly directory: string,
    private readonly port: number,
  ) {}

  static async start(realm: string): Promise<Kdc> {
    const kdc = new Kdc(realm, await mkdtemp(join(tmpdir(), 'kdc-')), await freePort());
    await kdc.makeDatabase();
    await kdc.run();
    return kdc;
  }

  /** The library's configuration that finds it. */
  get configuration(): string {
    return join(this.directory, 'krb5.conf');
  }

  /** @returns where the keys of its principals are put. */
  get keytab(): string {
    return join(this.directory, 'keytab');
  }

  async addUser(name: string, password: string): Promise<void> {
    await this.admin(`addprinc -pw "${password}" ${name}`);
  }

  async setPassword(name: string, password: string): Promise<void> {
    await this.admin(`change_password -pw "${password}" ${name}`);
  }

  /** Its key is added to {@link keytab}. */
  async addService(principal: string): Promise<void> {
    await this.admin(`addprinc -randkey ${principal}`);
    await this.admin(`ktadd -k ${this.keytab} ${principal}`);
  }

  /** It answers no more until {@link run}. */
  async halt(): Promise<void> {
    this.process?.signal('SIGTERM');
    await this.process?.exited;
  }

  async run(): Promise<void> {
    this.process = startProcess(['krb5kdc', '-n', '-r', this.realm], {
      env: { ...process.env, ...this.env },
    });
    this.process.stdout.resume();
    this.process.stderr.resume();
    const state = { ended: false };
    void this.process.exited.then(() => (state.ended = true));
    while (!(await answers(this.port))) {
      if (state.ended) throw new Error('krb5kdc did not start');
      await sleep(20);
    }
  }

  async close(): Promise<void> {
    await this.halt();
    await rm(this.directory, { recursive: true, force: true });
  }

  private async makeDatabase(): Promise<void> {
    const { directory, realm, port } = this;
    const address = `127.0.0.1:${port}`;
    await writeFile(
      this.configuration,
      `[libdefaults]\ndefault_realm = ${realm}\n[realms]\n${realm} = {\nkdc = ${address}\n}\n`,
    );
    await writeFile(
      join(directory, 'kdc.conf'),
      `[realms]\n${realm} = {\nkdc_listen = ${address}\nkdc_tcp_listen = ${address}\n` +
        `database_name = ${directory}/principal\nkey_stash_file = ${directory}/stash\nmax_life = 1h\n}\n` +
        `[logging]\nkdc = FILE:${directory}/kdc.log\n`,
    );
    await this.programs.run(['kdb5_util', '-r', realm, 'create', '-s', '-P', 'master'], { env: this.env });
  }

  private async admin(query: string): Promise<void> {
    await this.programs.run(['kadmin.local', '-r', this.realm, '-q', query], { env: this.env });
  }

  private readonly programs = new LocalPrograms();

  private get env(): Record<string, string> {
    return { KRB5_CONFIG: this.configuration, KRB5_KDC_PROFILE: join(this.directory, 'kdc.conf') };
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
