/** The proxy as the process that ships, with the native module beside it as in the image. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RunningProcess, startProcess } from '@incusos/host';
import { formatSettings, type ProxyServer, type ProxySettings } from '@incusos/proxy-settings';
import { bundlePrograms } from '@incusos/service/testing';

/** Bundles the program into a directory, which is the caller's to remove. */
export async function buildProxy(): Promise<string> {
  const directory = await bundlePrograms({ 'proxy.mjs': new URL('../main.ts', import.meta.url) });
  const packages = fileURLToPath(new URL('../../../../node_modules/@koromix', import.meta.url));
  await mkdir(join(directory, 'node_modules'));
  await symlink(packages, join(directory, 'node_modules/@koromix'));
  return directory;
}

export interface ProxyOptions {
  /** In PEM, what the machine trusts. */
  readonly authority?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export class ProxyProcess {
  private output = '';

  private constructor(
    private readonly process: RunningProcess,
    private readonly root: string,
  ) {}

  /** @param programs what {@link buildProxy} made. @param settings text as it is, or settings. */
  static async start(
    programs: string,
    settings: ProxySettings | string,
    { authority, env }: ProxyOptions = {},
  ): Promise<ProxyProcess> {
    const root = await mkdtemp(join(tmpdir(), 'proxy-'));
    const write = async (path: string, text: string): Promise<void> => {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text, { mode: 0o600 });
    };
    await write('credentials/settings', typeof settings === 'string' ? settings : formatSettings(settings));
    if (authority !== undefined) await write('etc/ssl/certs/ca-certificates.crt', authority);
    const child = startProcess([process.execPath, join(programs, 'proxy.mjs')], {
      env: {
        PATH: process.env['PATH'],
        INCUSOS_ROOT: root,
        INCUSOS_PROXY_LISTEN: '127.0.0.1:0',
        CREDENTIALS_DIRECTORY: '/credentials',
        RUNTIME_DIRECTORY: '/run/incus-os-proxy',
        ...env,
      },
    });
    const proxy = new ProxyProcess(child, root);
    await proxy.ready();
    return proxy;
  }

  /** Where it listens. */
  get port(): number {
    return Number(/listens on 127\.0\.0\.1:(\d+)/u.exec(this.output)?.[1]);
  }

  /** What it wrote so far. */
  get log(): string {
    return this.output;
  }

  async stop(): Promise<void> {
    this.process.signal('SIGTERM');
    await this.process.exited;
    await rm(this.root, { recursive: true, force: true });
  }

  private async ready(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.process.stderr.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        if (this.output.includes('listens on')) resolve();
      });
      void this.process.exited.then(({ code }) => {
        reject(new Error(`the proxy ended with exit code ${code ?? 'none'}: ${this.output}`));
      });
    }).catch(async (error: unknown) => {
      await rm(this.root, { recursive: true, force: true });
      throw error;
    });
  }
}

/** A server on this machine. */
export function serverAt(
  port: number,
  authentication: ProxyServer['authentication'] = { type: 'anonymous' },
  tls = false,
): ProxyServer {
  return { host: '127.0.0.1', port, tls, authentication };
}
