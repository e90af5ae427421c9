/**
 * Fetches a file of a server's into memory, within limits: of time for an answer and for the whole, of size, of
 * redirects. What a server may redirect to never loses encryption, and credentials stay with the server they are for.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { proxyRefusal } from './outbound-proxy.ts';
import { ProviderError } from '../providers/provider-error.ts';

export interface FetchLimits {
  /** How often it is tried when no answer comes; what a server does answer is final. */
  readonly attempts: number;
  /** Between two attempts. */
  readonly pauseMs: number;
  /** For one attempt until the answer begins. */
  readonly answerMs: number;
  /** For one attempt until the file is there. */
  readonly totalMs: number;
  /** Of the file. */
  readonly maxBytes: number;
}

export const fetchLimits: FetchLimits = {
  attempts: 5,
  pauseMs: 1_000,
  answerMs: 10_000,
  totalMs: 120_000,
  maxBytes: 16 * 1024 * 1024,
};

export interface FetchOptions {
  readonly userAgent: string;
  /** Sent to the server of the first URL only. */
  readonly credentials?: Readonly<Record<string, string>>;
  readonly limits: FetchLimits;
  readonly signal: AbortSignal;
}

const maxRedirects = 5;
const redirects = [301, 302, 303, 307, 308];

/**
 * Fetches a file.
 * @throws ProviderError saying why there is none; what `signal` was aborted with when it was.
 */
export async function fetchFile(url: URL, options: FetchOptions): Promise<Buffer> {
  const { attempts, pauseMs } = options.limits;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await tryFetch(url, options);
    } catch (error) {
      options.signal.throwIfAborted();
      if (error instanceof ProviderError) throw error;
      if (attempt === attempts) {
        const reason = (await proxyRefusal(url, error)) ?? causeOf(error);
        throw new ProviderError(`http request timed out after five seconds: ${reason}`, { cause: error });
      }
    }
    await sleep(pauseMs, undefined, { signal: options.signal }).catch(() => options.signal.throwIfAborted());
  }
}

async function tryFetch(url: URL, options: FetchOptions): Promise<Buffer> {
  const { limits, signal } = options;
  const answered = new AbortController();
  const timer = setTimeout(
    () => answered.abort(new Error(`no answer within ${limits.answerMs / 1000} s`)),
    limits.answerMs,
  );
  const total = new AbortController();
  const totalTimer = setTimeout(() => {
    total.abort(new ProviderError(`the server took longer than ${limits.totalMs / 1000} s to send the file`));
  }, limits.totalMs);
  try {
    const response = await request(url, options, AbortSignal.any([answered.signal, total.signal, signal]));
    clearTimeout(timer);
    return await readBody(response, limits.maxBytes);
  } finally {
    clearTimeout(timer);
    clearTimeout(totalTimer);
  }
}

async function request(first: URL, options: FetchOptions, signal: AbortSignal): Promise<Response> {
  const { userAgent, credentials = {} } = options;
  let url = first;
  for (let followed = 0; followed <= maxRedirects; followed += 1) {
    const own = url.origin === first.origin ? credentials : {};
    const response = await fetch(url.href, {
      redirect: 'manual',
      headers: { 'User-Agent': userAgent, ...own },
      signal,
    });
    if (!redirects.includes(response.status)) {
      if (response.status === 200) return response;
      await response.body?.cancel();
      throw new ProviderError(
        `server failed to return expected file: it answered with status ${response.status}`,
      );
    }
    await response.body?.cancel();
    url = redirectTarget(url, response.headers.get('location'));
  }
  throw new ProviderError(
    `server failed to return expected file: it redirected more than ${maxRedirects} times`,
  );
}

function redirectTarget(from: URL, location: string | null): URL {
  if (location === null || !URL.canParse(location, from.href)) {
    throw new ProviderError('server failed to return expected file: it redirected to nowhere');
  }
  const target = new URL(location, from);
  if (target.protocol !== 'https:' && target.protocol !== from.protocol) {
    throw new ProviderError('server failed to return expected file: it redirected to an unencrypted place');
  }
  return target;
}

async function readBody(response: Response, maxBytes: number): Promise<Buffer> {
  const tooLarge = (): ProviderError =>
    new ProviderError(`the server's file is larger than ${maxBytes} bytes`);
  if (Number(response.headers.get('content-length') ?? 0) > maxBytes) {
    await response.body?.cancel();
    throw tooLarge();
  }
  if (response.body === null) return Buffer.alloc(0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop early cancels the stream, and with it the connection.
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** What `fetch` hides below "fetch failed". */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof AggregateError && cause.errors.length > 0) return causeOf(cause.errors[0]);
  return cause instanceof Error ? causeOf(cause) : error.message;
}
