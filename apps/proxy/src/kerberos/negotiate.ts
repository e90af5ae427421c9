/**
 * Credentials by Kerberos for one proxy server (RFC 4559): tickets by the configured password, renewed before they end,
 * and a new token for every request.
 *
 * A password that the KDC refused is not tried again for a while: a directory may lock who gives a wrong one too often.
 */
import { ProxyFailure } from '../failure.ts';
import type { Credentials } from '../upstream/credentials.ts';
import type { Gss, GssCredential } from './gssapi.ts';

export interface NegotiateOptions {
  /** As sentences name it. */
  readonly server: string;
  /** The proxy server's, for its service name `HTTP/<host>`. */
  readonly host: string;
  readonly principal: string;
  readonly password: string;
  /** Called before tickets are asked for. */
  readonly prepare: () => Promise<void>;
  readonly gss: () => Promise<Gss>;
  readonly clock?: () => number;
}

const renewBeforeMs = 5 * 60_000;
/** Tickets that a proxy server refused are replaced no more often than this. */
const renewRefusedMs = 60_000;
const afterRefusalMs = 5 * 60_000;
/** An answer of the KDC that says nothing of the password, or none. */
const afterSilenceMs = 5_000;
const patienceMs = 30_000;
/** In the library's words: what the KDC says of a principal or a password, and would say again. */
const final = /preauth|decrypt integrity|not found in kerberos database|revoked|expired|locked/iu;

interface Refused {
  readonly failure: ProxyFailure;
  readonly until: number;
}

/** Tickets, with those who use them just now: only after the last of these may they be given back. */
interface Tickets {
  readonly credential: GssCredential;
  readonly since: number;
  users: number;
  retired: boolean;
}

export class Negotiate implements Credentials {
  private tickets: Tickets | undefined;
  private refusedUntil: Refused | undefined;
  private acquiring: Promise<Tickets> | undefined;
  private readonly now: () => number;

  constructor(private readonly options: NegotiateOptions) {
    this.now = options.clock ?? Date.now;
  }

  async header(): Promise<string> {
    const tickets = await this.current();
    try {
      const token = await inTime(this.token(tickets));
      return `Negotiate ${token.toString('base64')}`;
    } catch (error) {
      throw this.failure(error);
    }
  }

  refused(): void {
    const { tickets } = this;
    // They may be of no more use, such as after the server got a new key; new ones need not be better.
    if (tickets !== undefined && this.now() - tickets.since > renewRefusedMs) this.retire();
  }

  private async token(tickets: Tickets): Promise<Buffer> {
    tickets.users += 1;
    try {
      const gss = await this.options.gss();
      return await gss.token(tickets.credential, `HTTP@${this.options.host}`);
    } finally {
      tickets.users -= 1;
      releaseUnused(tickets);
    }
  }

  private async current(): Promise<Tickets> {
    const { tickets, refusedUntil } = this;
    if (tickets !== undefined && tickets.credential.expiresAt - this.now() > renewBeforeMs) return tickets;
    if (refusedUntil !== undefined && this.now() < refusedUntil.until) throw refusedUntil.failure;
    this.acquiring ??= this.acquire().finally(() => {
      this.acquiring = undefined;
    });
    return this.acquiring;
  }

  private async acquire(): Promise<Tickets> {
    const { principal, password, prepare, gss } = this.options;
    try {
      await prepare();
      const asked = (await gss()).acquire(principal, password);
      const credential = await inTime(asked).catch((error: unknown) => {
        // What comes too late is of no use to anyone.
        asked.then((late) => late.release()).catch(() => undefined);
        throw error;
      });
      this.retire();
      this.tickets = { credential, since: this.now(), users: 0, retired: false };
      this.refusedUntil = undefined;
      return this.tickets;
    } catch (error) {
      const failure = this.failure(error);
      const pause = final.test(failure.message) ? afterRefusalMs : afterSilenceMs;
      this.refusedUntil = { failure, until: this.now() + pause };
      throw failure;
    }
  }

  private retire(): void {
    const { tickets } = this;
    this.tickets = undefined;
    if (tickets === undefined) return;
    tickets.retired = true;
    releaseUnused(tickets);
  }

  private failure(error: unknown): ProxyFailure {
    const reason = error instanceof Error ? error.message : String(error);
    const { server, principal } = this.options;
    const message = `no Kerberos ticket of ${principal} for ${server}: ${reason}`;
    return new ProxyFailure(502, 'proxy_configuration_error', message, { cause: error });
  }
}

function releaseUnused(tickets: Tickets): void {
  if (tickets.retired && tickets.users === 0) tickets.credential.release();
}

async function inTime<R>(work: Promise<R>): Promise<R> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no KDC answered within ${patienceMs / 1_000} s`)), patienceMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
