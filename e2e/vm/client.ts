/** The client that the machine trusts: its certificate, and a configuration directory for the official client. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { stringify } from 'yaml';
import { inside } from '../../image/tools/roots.ts';

const remote = 'incusos';

export interface Client {
  readonly certificate: string;
  readonly key: string;
}

/** The client's key and certificate, made once. */
export async function ensureClient(tools: string, directory: string): Promise<Client> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const [certificate, key] = [join(directory, 'client.crt'), join(directory, 'client.key')];
  if (!existsSync(certificate) || !existsSync(key)) {
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp384r1', '-noenc', '-sha384'];
    const files = ['-keyout', '/client/client.key', '-out', '/client/client.crt'];
    const usage = ['-addext', 'extendedKeyUsage=clientAuth', '-addext', 'basicConstraints=CA:FALSE'];
    await inside(
      tools,
      [
        'openssl',
        'req',
        '-x509',
        ...curve,
        '-days',
        '3650',
        '-subj',
        '/CN=incusos client',
        ...usage,
        ...files,
      ],
      { log: join(directory, 'client.log'), mounts: { '/client': directory } },
    );
  }
  return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
}

/** The seed that has the machine trust the client. */
export function seedOf(client: Client): Readonly<Record<string, string>> {
  const certificates = [{ name: 'incusos client', type: 'client', certificate: client.certificate }];
  return { 'incus.json': JSON.stringify({ version: '1', apply_defaults: true, preseed: { certificates } }) };
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
  /** The server's certificate in PEM. */
  readonly server: string;
}

/** Asks the machine; its certificate is taken as it is, since the way to it is this computer's own loopback. */
export function ask(port: number, path: string, client: Client): Promise<ApiAnswer> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: '127.0.0.1',
        port,
        path,
        cert: client.certificate,
        key: client.key,
        rejectUnauthorized: false,
        agent: false,
        timeout: 10_000,
      },
      (response) => {
        const der = (response.socket as TLSSocket).getPeerX509Certificate();
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          const body = Buffer.concat(parts).toString();
          resolve({ status: response.statusCode ?? 0, body, server: der?.toString() ?? '' });
        });
      },
    );
    call.on('timeout', () => call.destroy(new Error('the machine does not answer')));
    call.on('error', reject);
    call.end();
  });
}

/** Writes what the official client needs to reach the machine: the remote, and the server's certificate. */
export function writeClientConfiguration(directory: string, port: number, server: string): void {
  const configuration = {
    'default-remote': remote,
    remotes: {
      [remote]: { addr: `https://127.0.0.1:${port}`, auth_type: 'tls', protocol: 'incus', public: false },
    },
    aliases: {},
  };
  mkdirSync(join(directory, 'servercerts'), { recursive: true });
  writeFileSync(join(directory, `servercerts/${remote}.crt`), server);
  writeFileSync(join(directory, 'config.yml'), stringify(configuration));
}
