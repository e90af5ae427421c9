/** Clients of a proxy, as plain as they can be: what goes over the wire is what a test says. */
import { type Agent, request, type IncomingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Of connections that are kept; a new one for each request unless given. */
  readonly agent?: Agent;
}

/** A request in absolute form. */
export function askThrough(
  port: number,
  url: string,
  { method = 'GET', headers = {}, body, agent }: Asking = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        path: url,
        method,
        headers: { Host: new URL(url).host, ...headers },
        agent: agent ?? false,
      },
      (response) => {
        text(response).then(
          (received) =>
            resolve({
              status: response.statusCode ?? 0,
              reason: response.statusMessage ?? '',
              headers: response.headers,
              body: received,
            }),
          reject,
        );
      },
    );
    asked.once('error', reject);
    asked.end(body);
  });
}

export interface Tunnel extends Answer {
  /** When the proxy gave one. */
  readonly socket: Socket | undefined;
}

/** A CONNECT. @param first bytes that are sent with it at once. */
export function tunnelThrough(port: number, target: string, first = ''): Promise<Tunnel> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    let received = '';
    socket.once('error', reject);
    const onData = (chunk: Buffer): void => {
      received += chunk.toString();
      const end = received.indexOf('\r\n\r\n');
      if (end < 0) return;
      const [line = '', ...fields] = received.slice(0, end).split('\r\n');
      const [, status = '', reason = ''] = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/u.exec(line) ?? [];
      const headers = Object.fromEntries(
        fields.map((field) => [
          field.slice(0, field.indexOf(':')).toLowerCase(),
          field.slice(field.indexOf(':') + 1).trim(),
        ]),
      );
      const rest = received.slice(end + 4);
      socket.off('data', onData);
      const answer = { status: Number(status), reason, headers };
      if (status === '200') {
        socket.pause();
        if (rest !== '') socket.unshift(Buffer.from(rest));
        resolve({ ...answer, body: '', socket });
      } else {
        text(socket).then((more) => resolve({ ...answer, body: rest + more, socket: undefined }), reject);
        socket.resume();
        socket.end();
      }
    };
    socket.on('data', onData);
    socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n${first}`);
  });
}

/** Sends text, ends that way, and reads what comes until the other end is done too. */
export async function exchange(socket: Socket, sent: string): Promise<string> {
  socket.end(sent);
  return text(socket);
}
