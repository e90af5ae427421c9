/**
 * The proxy that this machine's programs are to use, which the network configuration decides and which may change at any
 * time: looked at before requests, so that no service has to be started again for it.
 *
 * The variables are of environment(5); what they say is in force for every `fetch` of the process. A provider that has to
 * go around the proxy makes its requests with an agent of its own.
 */
import { request, setGlobalProxyFromEnv } from 'node:http';
import type { Host } from '@incusos/host';

const environmentFile = '/etc/environment';
/** For the proxy to say again why it refuses. */
const answerMs = 60_000;

interface Variables {
  readonly http_proxy?: string;
  readonly https_proxy?: string;
  readonly no_proxy?: string;
}

let inForce: { readonly text: string; readonly variables: Variables; readonly undo: () => void } | undefined;

/** Has requests of this process take the configured proxy, or none. */
export async function useConfiguredProxy({ files }: Host): Promise<void> {
  const text = await files.readText(environmentFile).catch(() => '');
  if (text === (inForce?.text ?? '')) return;
  inForce?.undo();
  inForce = undefined;
  const variables = read(text);
  if (variables.http_proxy === undefined && variables.https_proxy === undefined) return;
  inForce = { text, variables, undo: setGlobalProxyFromEnv({ ...variables }) };
}

/** @param text lines such as `http_proxy=http://localhost:3128`. */
function read(text: string): Variables {
  const found: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const { name, value } = /^(?<name>https?_proxy|no_proxy)=(?<value>.+)$/u.exec(line)?.groups ?? {};
    if (name === undefined || value === undefined) continue;
    // A machine that is emulated has its proxy on another port.
    found[name] = name === 'no_proxy' ? value : (process.env['INCUSOS_LOCAL_PROXY'] ?? value);
  }
  return found;
}

/**
 * Why the proxy refused a request: `fetch` knows the status of its answer only, so it is asked again.
 * @param error what `fetch` failed with.
 * @returns the proxy's sentence; `undefined` when it was not the proxy.
 */
export async function proxyRefusal(url: URL, error: unknown): Promise<string | undefined> {
  const proxy = url.protocol === 'https:' ? inForce?.variables.https_proxy : inForce?.variables.http_proxy;
  const status = /^Proxy response \((\d+)\)/u.exec(innermost(error))?.[1];
  if (proxy === undefined || status === undefined) return undefined;
  const { hostname, port } = new URL(proxy);
  const target = `${url.hostname}:${url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port}`;
  return new Promise((resolve) => {
    const asked = request({
      host: hostname,
      port,
      method: 'CONNECT',
      path: target,
      headers: { Host: target },
      agent: false,
    });
    asked.setTimeout(answerMs, () => asked.destroy());
    asked.once('connect', (response, socket) => {
      socket.destroy();
      const reason = response.statusMessage ?? '';
      resolve(response.statusCode === 200 || reason === '' ? undefined : reason);
    });
    asked.once('error', () => resolve(`the proxy of this machine answered with status ${status}`));
    asked.end();
  });
}

function innermost(error: unknown): string {
  if (!(error instanceof Error)) return '';
  return error.cause === undefined ? error.message : innermost(error.cause);
}
