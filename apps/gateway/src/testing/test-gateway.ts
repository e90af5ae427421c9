/** A gateway in a directory of its own, with fake services behind it and what a test needs to ask it. */
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSigned } from '../room/self-signed.ts';
import { type Gateway, startGateway } from '../start.ts';
import { FakeServices } from './fake-services.ts';

/** A client with its own certificate. */
export interface Client {
  readonly certificate: string;
  readonly key: string;
  readonly fingerprint: string;
}

export interface Ask {
  readonly method?: string;
  readonly body?: string | Buffer;
  readonly headers?: Record<string, string>;
  /** Over HTTPS as this client; `'nobody'` has no certificate. The local socket unless given. */
  readonly as?: Client | 'nobody';
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  /** The parsed body. */
  json(): Envelope;
}

export interface Envelope {
  readonly type: string;
  readonly status_code: number;
  readonly error_code: number;
  readonly error: string;
  readonly metadata: unknown;
}

export class TestGateway {
  private constructor(
    readonly services: FakeServices,
    readonly gateway: Gateway,
    readonly directory: string,
  ) {}

  static async start(): Promise<TestGateway> {
    const directory = await mkdtemp(join(tmpdir(), 'gw-'));
    process.env['INCUSOS_RUN_DIR'] = directory;
    process.env['INCUSOS_LOG_LEVEL'] = 'error';
    const services = new FakeServices();
    await services.startAll();
    const gateway = await startGateway({
      port: 0,
      address: '127.0.0.1',
      directory: join(directory, 'gateway'),
    });
    return new TestGateway(services, gateway, directory);
  }

  async stop(): Promise<void> {
    await this.gateway.stop();
    this.services.killAll();
    await rm(this.directory, { recursive: true, force: true });
  }

  ask(path: string, options: Ask = {}): Promise<Reply> {
    const { as, method = 'GET', headers = {}, body } = options;
    return new Promise((resolve, reject) => {
      const settings = { path, method, headers, agent: false } as const;
      const request =
        as === undefined
          ? httpRequest({ ...settings, socketPath: this.gateway.socket })
          : httpsRequest({ ...settings, ...this.tls(as) });
      request.on('error', reject);
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const text = bytes.toString('utf8');
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            bytes,
            text,
            json: () => JSON.parse(text) as Envelope,
          });
        });
      });
      request.end(body);
    });
  }

  post(path: string, body?: unknown, options: Ask = {}): Promise<Reply> {
    return this.ask(path, {
      ...options,
      method: 'POST',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  put(path: string, body: unknown, options: Ask = {}): Promise<Reply> {
    return this.ask(path, { ...options, method: 'PUT', body: JSON.stringify(body) });
  }

  /** Options of a TLS connection as a client. */
  tls(client: Client | 'nobody') {
    return {
      host: '127.0.0.1',
      port: this.gateway.port,
      // The test's own connection to its own server, which has a certificate nobody signed.
      rejectUnauthorized: false,
      ...(client === 'nobody' ? {} : { cert: client.certificate, key: client.key }),
    };
  }
}

export async function newClient(): Promise<Client> {
  const { certificate, key } = await selfSigned();
  return {
    certificate,
    key,
    fingerprint: new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}

/** Waits until `condition` holds; what never does ends in the test's own time limit. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}
