/** An image server on loopback whose answers a test decides. */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** What is answered: a body with 200, or whatever a function does. */
export type Answer = Uint8Array | string | ((request: IncomingMessage, response: ServerResponse) => void);

export interface ServedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

export class ImageServer {
  /** In the order in which they came. */
  readonly requests: ServedRequest[] = [];
  private readonly answers = new Map<string, Answer>();

  private constructor(
    private readonly server: Server,
    private readonly scheme: 'http' | 'https',
  ) {}

  /** @param tls key and certificate in PEM make it an HTTPS server. */
  static async start(tls?: { key: string; cert: string }): Promise<ImageServer> {
    const server = tls === undefined ? createServer() : createSecureServer(tls);
    const images = new ImageServer(server, tls === undefined ? 'http' : 'https');
    server.on('request', (request: IncomingMessage, response: ServerResponse) =>
      images.answer(request, response),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return images;
  }

  get url(): string {
    return `${this.scheme}://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** @param path such as `/index.sjson`; without an answer it is 404. */
  serve(path: string, answer: Answer): void {
    this.answers.set(path, answer);
  }

  /** Forgets all answers and requests. */
  clear(): void {
    this.answers.clear();
    this.requests.length = 0;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeAllConnections();
    await closed;
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const { method = '', url = '', headers } = request;
    this.requests.push({ method, url, headers });
    const answer = this.answers.get(new URL(url, this.url).pathname);
    if (answer === undefined) response.writeHead(404).end();
    else if (typeof answer === 'function') answer(request, response);
    else response.writeHead(200).end(answer);
  }
}
