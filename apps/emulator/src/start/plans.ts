/** The processes that make up the appliance. */
import { join } from 'node:path';
import { LocalFiles } from '@incusos/host';
import { serviceNames } from '@incusos/service';
import type { Layout } from '../directory.ts';
import type { ProcessPlan } from './processes.ts';

/** Small young generation and few helper threads: the services are idle nearly always, and there are nine of them. */
const frugal = ['--max-semi-space-size=1', '--v8-pool-size=1'];

const dist = join(import.meta.dirname, '../..');

export interface PlanOptions {
  readonly layout: Layout;
  readonly port: number;
  /** Of this computer, for the machine's own HTTP proxy. */
  readonly proxyPort: number;
}

/** What runs while the unit of the machine's HTTP proxy is active: as its unit has it, on a port of this computer. */
export function proxyPlan({ layout, proxyPort }: Pick<PlanOptions, 'layout' | 'proxyPort'>): ProcessPlan {
  return {
    name: 'proxy',
    argv: [process.execPath, ...frugal, join(dist, 'apps/proxy/main.mjs')],
    env: {
      PATH: process.env['PATH'],
      NODE_ENV: 'production',
      INCUSOS_ROOT: join(layout.directory, 'root'),
      INCUSOS_PROXY_LISTEN: `127.0.0.1:${proxyPort}`,
      CREDENTIALS_DIRECTORY: '/run/credentials/local-proxy.service',
      RUNTIME_DIRECTORY: '/run/incus-os-proxy',
      MALLOC_ARENA_MAX: '2',
    },
    ours: true,
  };
}

/** Valkey, every subsystem service, the gateway and the console. */
export async function appliancePlans({ layout, port, proxyPort }: PlanOptions): Promise<ProcessPlan[]> {
  // A job queue that runs already, as in containers, is used as it is.
  const givenValkey = process.env['INCUSOS_VALKEY_SOCKET'];
  const env = {
    PATH: process.env['PATH'],
    NODE_ENV: 'production',
    NODE_COMPILE_CACHE: join(dist, '.compile-cache'),
    INCUSOS_HOST_MODULE: join(dist, 'libs/host-emulated/host-emulated.mjs'),
    INCUSOS_MACHINE_DIR: layout.directory,
    INCUSOS_RUN_DIR: layout.run,
    INCUSOS_VALKEY_SOCKET: givenValkey ?? join(layout.run, 'valkey.sock'),
    INCUSOS_GATEWAY_DIR: layout.gateway,
    INCUSOS_LOCAL_PROXY: `http://127.0.0.1:${proxyPort}`,
    INCUSOS_DEVICE_DIR: join(layout.directory, 'root/dev'),
    INCUSOS_HTTPS_ADDRESS: '127.0.0.1',
    INCUSOS_HTTPS_PORT: String(port),
    INCUSOS_LOG_LEVEL: process.env['INCUSOS_LOG_LEVEL'],
    MALLOC_ARENA_MAX: '2',
  };
  const ours = [...serviceNames, 'gateway', 'console'].map((name): ProcessPlan => ({
    name,
    argv: [process.execPath, ...frugal, join(dist, `apps/${name}/main.mjs`)],
    env,
    ours: true,
  }));
  return givenValkey === undefined ? [await valkeyPlan(layout), ...ours] : ours;
}

/** It holds nothing that can't be rebuilt, so nothing of it is written to disk. */
async function valkeyPlan(layout: Layout): Promise<ProcessPlan> {
  const program = await findProgram(['valkey-server', 'redis-server']);
  const socket = join(layout.run, 'valkey.sock');
  const options = [
    '--port',
    '0',
    '--unixsocket',
    socket,
    '--unixsocketperm',
    '700',
    '--save',
    '',
    '--appendonly',
    'no',
  ];
  const quiet = ['--daemonize', 'no', '--loglevel', 'warning', '--dir', layout.run, '--databases', '1'];
  return {
    name: 'valkey',
    // It knows no channel to us: the kernel ends it with its supervisor, however that ends (setpriv(1)).
    argv: ['setpriv', '--pdeathsig', 'TERM', '--', program, ...options, ...quiet],
    env: { PATH: process.env['PATH'] },
    ours: false,
  };
}

async function findProgram(names: readonly string[]): Promise<string> {
  const files = new LocalFiles('/');
  const directories = `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/bin`
    .split(':')
    .filter((directory) => directory.startsWith('/'));
  for (const name of names) {
    for (const directory of directories) {
      if (await files.exists(join(directory, name))) return join(directory, name);
    }
  }
  throw new Error(
    `none of ${names.join(', ')} is installed; the Debian package valkey-server or redis-server has it`,
  );
}
