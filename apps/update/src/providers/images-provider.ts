/** Releases of a static image server, whose signed index says what is published. */
import { createHash, randomUUID } from 'node:crypto';
import type { Index, UpdateFull } from '@incusos/contracts/images';
import type { Host } from '@incusos/host';
import { openSigned, parseIndex, selectRelease } from '@incusos/images';
import type { Logger } from '@incusos/service';
import { type FetchLimits, fetchFile } from '../feed/fetch-file.ts';
import { proxyRefusal, useConfiguredProxy } from '../feed/outbound-proxy.ts';
import { releaseTrust, trustServerAuthorities } from '../feed/trust-anchors.ts';
import { readRunningSystem, type RunningSystem } from '../machine/running-system.ts';
import type { MachineIdentity } from './machine-identity.ts';
import { ProviderError } from './provider-error.ts';
import type { ReleaseProvider } from './release-provider.ts';

const defaultServerUrl = 'https://images.linuxcontainers.org/os';

/** Says where an image's own releases come from; an image without it has those of {@link defaultServerUrl}. */
const imageServerFile = '/usr/lib/incus-os/image-server';

/** How long an index is used before it is fetched again, unless someone asks for a check. */
const cacheMs = 60 * 60 * 1000;

export interface ImagesProviderContext {
  readonly host: Host;
  readonly logger: Logger;
  readonly identity: MachineIdentity;
  readonly limits: FetchLimits;
  /** The channel in force. */
  readonly channel: () => string;
}

interface Cached {
  readonly index: Index;
  readonly fetchedAt: number;
}

export class ImagesProvider implements ReleaseProvider {
  readonly name = 'images';
  private cached: Cached | undefined;
  private readonly token: string;
  private readonly inQuery: boolean;

  constructor(
    private readonly config: Readonly<Record<string, string>>,
    private readonly context: ImagesProviderContext,
  ) {
    this.token = config['token'] ?? '';
    this.inQuery = config['authentication_by_query_param']?.toLowerCase() === 'true';
  }

  /** Only a server that gave out a token wants to know its machines. */
  get canRegister(): boolean {
    return this.token !== '';
  }

  clearCache(): void {
    this.cached = undefined;
  }

  async register(signal: AbortSignal): Promise<void> {
    const { host, identity } = this.context;
    const [system, body] = await Promise.all([
      readRunningSystem(host),
      identity.registration(this.token, signal),
    ]);
    await Promise.all([trustServerAuthorities(host), useConfiguredProxy(host)]);
    const response = await this.sendRegistration(JSON.stringify(body), userAgent(system), signal);
    if (response.status === 200) return;
    if (response.status === 400) throw new ProviderError((await response.text()).slice(0, 1_000));
    throw new ProviderError(`bad HTTP response code for registration: ${response.status}`);
  }

  async newestRelease(signal: AbortSignal): Promise<UpdateFull | undefined> {
    const { host, logger } = this.context;
    const system = await readRunningSystem(host);
    const index = await this.index(system, signal);
    const channel = this.context.channel();
    const { architecture, release: runningRelease } = system;
    const { release, channelExists } = selectRelease(index, { channel, architecture, runningRelease });
    if (!channelExists) {
      logger.warn("The configured update channel doesn't currently hold any image", { channel });
    }
    return release;
  }

  private async index(system: RunningSystem, signal: AbortSignal): Promise<Index> {
    if (this.cached !== undefined && Date.now() - this.cached.fetchedAt < cacheMs) return this.cached.index;
    const { host, limits, logger } = this.context;
    const trust = await releaseTrust(host, this.config['update_ca']);
    await Promise.all([trustServerAuthorities(host), useConfiguredProxy(host)]);
    const { url, credentials } = await this.authenticated(`${await this.serverUrl()}/index.sjson`, signal);
    const message = await fetchFile(url, { userAgent: userAgent(system), credentials, limits, signal });
    const { text, signers } = await openSigned(message, trust);
    const index = parseIndex(text);
    logger.debug('the index of releases was verified', {
      signers,
      sha256: createHash('sha256').update(message).digest('hex'),
    });
    this.cached = { index, fetchedAt: Date.now() };
    return index;
  }

  private async serverUrl(): Promise<string> {
    const { files } = this.context.host;
    let url = this.config['server_url'] ?? '';
    if (url === '' && (await files.exists(imageServerFile)))
      url = (await files.readText(imageServerFile)).trim();
    return (url === '' ? defaultServerUrl : url).replace(/\/+$/u, '');
  }

  private async authenticated(
    path: string,
    signal: AbortSignal,
  ): Promise<{ url: URL; credentials: Record<string, string> }> {
    const url = new URL(path);
    if (!this.canRegister) return { url, credentials: {} };
    const token = await this.context.identity.token(signal);
    if (!this.inQuery) return { url, credentials: { 'X-IncusOS-Authentication': token } };
    url.searchParams.set('token', token);
    return { url, credentials: {} };
  }

  private async sendRegistration(body: string, agent: string, outer: AbortSignal): Promise<Response> {
    const signal = AbortSignal.any([outer, AbortSignal.timeout(this.context.limits.answerMs)]);
    const headers = { 'User-Agent': agent };
    const common = { headers, redirect: 'error', signal } as const;
    const server = await this.serverUrl();
    try {
      if (this.inQuery) {
        const url = new URL(`${server}/register/${randomUUID()}`);
        url.searchParams.set('token', Buffer.from(body).toString('base64url'));
        return await fetch(url.href, common);
      }
      return await fetch(`${server}/register`, {
        ...common,
        method: 'POST',
        body,
        headers: { ...headers, 'Content-Type': 'application/json' },
      });
    } catch (error) {
      outer.throwIfAborted();
      const reason = await proxyRefusal(new URL(server), error);
      const sentence = 'the image server could not be reached to register this machine';
      throw new ProviderError(reason === undefined ? sentence : `${sentence}: ${reason}`, {
        cause: error,
      });
    }
  }
}

function userAgent({ osName, release }: RunningSystem): string {
  return `${osName}/${release}`;
}
