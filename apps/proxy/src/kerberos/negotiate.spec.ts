import { describe, expect, it } from 'vitest';
import type { Gss, GssCredential } from './gssapi.ts';
import { Negotiate } from './negotiate.ts';

const hourMs = 3_600_000;

/** A library whose tickets last an hour, on a clock that the test sets. */
class FakeGss implements Gss {
  now = 0;
  acquired = 0;
  readonly released: number[] = [];
  /** What `acquire` fails with. */
  problem: string | undefined;
  /** Holds tokens back while it is set. */
  hold: Promise<void> | undefined;

  acquire(): Promise<GssCredential> {
    this.acquired += 1;
    if (this.problem !== undefined) return Promise.reject(new Error(this.problem));
    const handle = this.acquired;
    return Promise.resolve({
      handle,
      expiresAt: this.now + hourMs,
      release: () => {
        this.released.push(handle);
      },
    });
  }

  async token({ handle }: GssCredential, service: string): Promise<Buffer> {
    await this.hold;
    if (this.released.includes(Number(handle))) throw new Error('the credential is gone');
    return Buffer.from(`${String(handle)} for ${service}`);
  }
}

function negotiate(gss: FakeGss): Negotiate {
  return new Negotiate({
    server: 'the proxy server corp (proxy.test:3128)',
    host: 'proxy.test',
    principal: 'machine@EXAMPLE.TEST',
    password: 's3cret',
    prepare: () => Promise.resolve(),
    gss: () => Promise.resolve(gss),
    clock: () => gss.now,
  });
}

function header(credential: number): string {
  return `Negotiate ${Buffer.from(`${credential} for HTTP@proxy.test`).toString('base64')}`;
}

describe('credentials by Kerberos', () => {
  it('are got once, by whoever comes first, and renewed before they end', async () => {
    const gss = new FakeGss();
    const credentials = negotiate(gss);
    expect(await Promise.all([credentials.header(), credentials.header()])).toEqual([header(1), header(1)]);
    gss.now = hourMs - 6 * 60_000;
    expect(await credentials.header()).toBe(header(1));
    gss.now = hourMs - 4 * 60_000;
    expect(await credentials.header()).toBe(header(2));
    expect([gss.acquired, gss.released]).toEqual([2, [1]]);
  });

  it('are given back only after the last one that uses them', async () => {
    const gss = new FakeGss();
    const credentials = negotiate(gss);
    await credentials.header();
    let goOn = (): void => undefined;
    gss.hold = new Promise((resolve) => (goOn = resolve));
    const slow = credentials.header();
    gss.now = hourMs;
    const renewed = credentials.header();
    await new Promise((resolve) => setImmediate(resolve));
    expect([gss.acquired, gss.released]).toEqual([2, []]);
    goOn();
    expect([await slow, await renewed]).toEqual([header(1), header(2)]);
    expect(gss.released).toEqual([1]);
  });

  it('that a proxy server refuses are replaced, but not for every refusal', async () => {
    const gss = new FakeGss();
    const credentials = negotiate(gss);
    await credentials.header();
    credentials.refused();
    expect(await credentials.header()).toBe(header(1));
    gss.now = 61_000;
    credentials.refused();
    expect(await credentials.header()).toBe(header(2));
    credentials.refused();
    expect(await credentials.header()).toBe(header(2));
  });

  it('are not asked for again at once when the KDC refused the password', async () => {
    const gss = new FakeGss();
    gss.problem = 'Preauthentication failed';
    const credentials = negotiate(gss);
    const refusal =
      'no Kerberos ticket of machine@EXAMPLE.TEST for the proxy server corp (proxy.test:3128): Preauthentication failed';
    await expect(credentials.header()).rejects.toThrow(refusal);
    gss.now = 4 * 60_000;
    await expect(credentials.header()).rejects.toThrow(refusal);
    expect(gss.acquired).toBe(1);
    gss.problem = undefined;
    gss.now = 6 * 60_000;
    expect(await credentials.header()).toBe(header(2));
  });

  it('are asked for soon again when no KDC answered', async () => {
    const gss = new FakeGss();
    gss.problem = "Cannot contact any KDC for realm 'EXAMPLE.TEST'";
    const credentials = negotiate(gss);
    await expect(credentials.header()).rejects.toThrow('Cannot contact any KDC');
    gss.problem = undefined;
    gss.now = 6_000;
    expect(await credentials.header()).toBe(header(2));
  });
});
