/** A client of the management API that knows nothing but HTTP. */
import { Agent, type AgentOptions, request } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';

export interface Target {
  /** Such as `https://127.0.0.1:8443`. */
  readonly url: string;
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** The envelope around every JSON reply. */
export interface Envelope {
  readonly type: string;
  readonly status: string;
  readonly status_code: number;
  readonly operation: string;
  readonly error_code: number;
  readonly error: string;
  readonly metadata: unknown;
}

export interface SendOptions {
  /** Sent as it is. */
  readonly raw?: string | Buffer | Readable;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const silenceMs = 180_000;

export class Rest {
  private readonly url: string;
  private readonly agent: Agent;

  /** @param identity the client's certificate and key; none for a client without. */
  constructor(url: string, identity: Pick<AgentOptions, 'cert' | 'key'>) {
    this.url = url;
    // The server's certificate is made by itself; who it is was settled when the directory was made.
    this.agent = new Agent({ ...identity, keepAlive: true, rejectUnauthorized: false });
  }

  close(): void {
    this.agent.destroy();
  }

  /** Sends a request to a path such as `/os/1.0/system`. */
  send(method: string, path: string, { raw, json, headers = {} }: SendOptions = {}): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        new URL(path, this.url),
        { method, agent: this.agent, headers },
        (response) => {
          buffer(response).then(
            (body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
            reject,
          );
        },
      );
      outgoing.on('error', reject);
      // A machine whose power was cut never says that a connection is over.
      outgoing.setTimeout(silenceMs, () => outgoing.destroy(new Error('the appliance went silent')));
      const body = json === undefined ? raw : JSON.stringify(json);
      if (body instanceof Readable) body.pipe(outgoing);
      else outgoing.end(body);
    });
  }

  async envelope(
    method: string,
    path: string,
    options?: SendOptions,
  ): Promise<Envelope & { readonly http: number }> {
    const { status, body } = await this.send(method, path, options);
    return { ...(JSON.parse(body.toString('utf8')) as Envelope), http: status };
  }

  /**
   * The metadata of a successful reply.
   * @throws Error with the reply's own error otherwise.
   */
  async get<T>(path: string): Promise<T> {
    return this.succeed<T>('GET', path);
  }

  async succeed<T>(method: string, path: string, options?: SendOptions): Promise<T> {
    const envelope = await this.envelope(method, path, options);
    if (envelope.http !== 200) throw new Error(`${method} ${path}: ${envelope.http} ${envelope.error}`);
    return envelope.metadata as T;
  }
}
