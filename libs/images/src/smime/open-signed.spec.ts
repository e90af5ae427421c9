import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { ensureSigningPki, type SigningPki } from '@incusos/host-emulated';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FeedError } from '../feed-error.ts';
import { makeSigner, type SignedForm, type Signer, signText } from '../testing/index.ts';
import { openSigned, type Trust } from './open-signed.ts';

const content = '{"format":"1.0",\n "updates":[]}\n';

let directory: string;
let pki: SigningPki;
let strangerPki: SigningPki;
let trust: Trust;
let signer: Signer;
let signed: Buffer;

async function trustIn({ root, updateCa }: SigningPki): Promise<Trust> {
  return { root: await readFile(root, 'utf8'), updateCa: await readFile(updateCa, 'utf8') };
}

async function refusal(message: Uint8Array, by: Trust = trust): Promise<FeedError> {
  const error: unknown = await openSigned(message, by).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof FeedError)) throw new Error(`not refused as a feed: ${String(error)}`);
  return error;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'smime-'));
  pki = await ensureSigningPki(join(directory, 'ours'));
  strangerPki = await ensureSigningPki(join(directory, 'theirs'));
  trust = await trustIn(pki);
  signer = await makeSigner(pki, directory);
  signed = await signText(content, signer);
});

afterAll(() => rm(directory, { recursive: true, force: true }));

describe('messages signed by openssl', () => {
  const forms: SignedForm[] = [
    'detached',
    'opaque',
    'binary',
    'without-text-header',
    'without-attributes',
    'cms',
  ];

  it.each(forms)('opens the form %s', async (form) => {
    const opened = await openSigned(await signText(content, signer, form), trust);
    expect(JSON.parse(opened.text)).toEqual({ format: '1.0', updates: [] });
    expect(opened.signers).toEqual(['O=IncusOS development, CN=Release signing']);
  });

  it('opens what an RSA key signed', async () => {
    const rsa = await makeSigner(pki, directory, { keyType: 'rsa' });
    expect((await openSigned(await signText(content, rsa), trust)).text).toContain('"format"');
  });

  it('opens what SHA-512 was used for, and no weaker digest than SHA-256', async () => {
    await openSigned(await signText(content, signer, 'detached', ['-md', 'sha512']), trust);
    expect((await refusal(await signText(content, signer, 'detached', ['-md', 'sha1']))).message).toContain(
      'SHA-2',
    );
  });

  it('opens a message whose line ends became CRLF on the way', async () => {
    const crlf = Buffer.from(signed.toString('latin1').replaceAll(/\r*\n/gu, '\r\n'), 'latin1');
    expect(JSON.parse((await openSigned(crlf, trust)).text)).toEqual({ format: '1.0', updates: [] });
  });

  it('opens a signer without a purpose in its certificate', async () => {
    const plain = await makeSigner(pki, directory, { extendedKeyUsage: 'none' });
    expect((await openSigned(await signText(content, plain), trust)).text).toContain('"format"');
  });

  it('opens any text that openssl signs', async () => {
    await fc.assert(
      fc.asyncProperty(fc.json(), async (value) => {
        const text = JSON.stringify([JSON.parse(value)]);
        const opened = await openSigned(await signText(text, signer), trust);
        expect(JSON.parse(opened.text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 15 },
    );
  });
});

describe('who may sign', () => {
  it('refuses a stranger with authorities of the same names', async () => {
    const stranger = await makeSigner(strangerPki, directory);
    const error = await refusal(await signText(content, stranger));
    expect(error.problem).toBe('untrusted');
    expect(error.message).toBe(
      "the release feed can't be trusted: the signer 'O=IncusOS development, CN=Release signing' does not lead to the trusted root",
    );
  });

  it('refuses a stranger who sends our authorities along', async () => {
    const stranger = await makeSigner(strangerPki, directory);
    const message = await signText(content, { ...stranger, chain: signer.chain });
    expect((await refusal(message)).problem).toBe('untrusted');
  });

  it('refuses a signer whom the root certified without the update CA, even if that comes along', async () => {
    const other = await makeSigner(pki, directory, { issuer: 'root', name: 'Other purpose' });
    const error = await refusal(await signText(content, other));
    expect(error.problem).toBe('untrusted');
    expect(error.message).toContain(
      "was not certified by the update CA 'O=IncusOS development, CN=Update CA'",
    );
  });

  it('refuses a chain that is missing', async () => {
    const error = await refusal(await signText(content, { ...signer, chain: pki.root }));
    expect(error.message).toContain('does not lead to the trusted root');
  });

  it("refuses a message without the signer's certificate", async () => {
    const error = await refusal(await signText(content, signer, 'detached', ['-nocerts']));
    expect(error).toMatchObject({ problem: 'untrusted' });
    expect(error.message).toContain("the signer's certificate is missing");
  });

  it('refuses a signer whom another signer certified', async () => {
    const leaf: SigningPki = { ...pki, updateCa: signer.certificate, updateCaKey: signer.key };
    const made = await makeSigner(leaf, directory);
    const chain = join(directory, 'all.pem');
    await writeFile(
      chain,
      (await readFile(signer.certificate, 'utf8')) + (await readFile(signer.chain, 'utf8')),
    );
    expect((await refusal(await signText(content, { ...made, chain }))).message).toContain(
      'does not lead to',
    );
  });

  it('refuses the update CA itself as a signer', async () => {
    const message = await signText(content, {
      certificate: pki.updateCa,
      key: pki.updateCaKey,
      chain: pki.root,
    });
    expect((await refusal(message)).problem).toBe('untrusted');
  });

  it('refuses a certificate for another purpose', async () => {
    const web = await makeSigner(pki, directory, { extendedKeyUsage: 'serverAuth' });
    expect((await refusal(await signText(content, web))).message).toContain('is not for signing messages');
    const agreement = await makeSigner(pki, directory, { keyUsage: 'keyAgreement' });
    expect((await refusal(await signText(content, agreement))).message).toContain(
      'is not for signing messages',
    );
  });

  it('trusts another update CA when told to, and then no longer the first', async () => {
    const second: SigningPki = {
      ...pki,
      updateCa: join(directory, 'second.pem'),
      updateCaKey: join(directory, 'second.key'),
    };
    const ca = await makeSigner(pki, directory, {
      issuer: 'root',
      name: 'Second CA',
      authority: true,
      extendedKeyUsage: 'none',
    });
    const made = await makeSigner({ ...second, updateCa: ca.certificate, updateCaKey: ca.key }, directory);
    const other = { root: trust.root, updateCa: await readFile(ca.certificate, 'utf8') };
    const message = await signText(content, made);
    expect((await openSigned(message, other)).signers).toHaveLength(1);
    expect((await refusal(message)).problem).toBe('untrusted');
    expect((await refusal(signed, other)).problem).toBe('untrusted');
  });

  it.each([
    [0, 'does not allow 1 CAs below it'],
    [1, undefined],
  ])('keeps to the number of CAs (%i) that the update CA allows below it', async (pathLength, problem) => {
    const authority = { authority: true, extendedKeyUsage: 'none' };
    const ca = await makeSigner(pki, directory, {
      ...authority,
      issuer: 'root',
      name: 'Limited CA',
      pathLength,
    });
    const below = { ...pki, updateCa: ca.certificate, updateCaKey: ca.key };
    const sub = await makeSigner(below, directory, { ...authority, name: 'Sub CA' });
    const made = await makeSigner({ ...pki, updateCa: sub.certificate, updateCaKey: sub.key }, directory);
    const chain = join(directory, `chain-${pathLength}.pem`);
    const limited = { root: trust.root, updateCa: await readFile(ca.certificate, 'utf8') };
    await writeFile(chain, limited.updateCa + (await readFile(sub.certificate, 'utf8')));
    const message = await signText(content, { ...made, chain });
    if (problem === undefined) expect((await openSigned(message, limited)).signers).toHaveLength(1);
    else expect((await refusal(message, limited)).message).toContain(problem);
  });

  it('says when a certificate has expired or is not valid yet', async () => {
    const late = await refusal(signed, { ...trust, at: new Date('2031-01-01T00:00:00Z') });
    expect(late.message).toMatch(/'O=IncusOS development, CN=Release signing' expired at 20/u);
    const early = await refusal(signed, { ...trust, at: new Date('2020-01-01T00:00:00Z') });
    expect(early.message).toContain('is not valid before 20');
  });

  it('needs every signer to be good', async () => {
    const stranger = await makeSigner(strangerPki, directory);
    const more = ['-signer', stranger.certificate, '-inkey', stranger.key];
    expect((await refusal(await signText(content, signer, 'detached', more))).problem).toBe('untrusted');
    const second = await makeSigner(pki, directory, { name: 'Second signer' });
    const both = await signText(content, signer, 'detached', [
      '-signer',
      second.certificate,
      '-inkey',
      second.key,
    ]);
    expect((await openSigned(both, trust)).signers).toHaveLength(2);
  });

  it('refuses authorities that are not certificates', async () => {
    expect((await refusal(signed, { ...trust, updateCa: 'x' })).message).toBe(
      'the update CA is not a certificate in PEM',
    );
  });
});

describe('messages that were changed', () => {
  it('refuses altered content', async () => {
    const altered = Buffer.from(signed.toString('latin1').replace('"1.0"', '"1.1"'), 'latin1');
    const error = await refusal(altered);
    expect(error.problem).toBe('altered');
    expect(error.message).toBe('the release feed was altered: its signature does not match its content');
  });

  it('refuses the signature of other content', async () => {
    const other = (await signText('{"format":"1.0","updates":[1]}\n', signer)).toString('latin1');
    const boundary = /boundary="(?<name>[^"]+)"/u;
    const name = boundary.exec(other)?.groups?.['name'] ?? '';
    const ours = signed.toString('latin1');
    const spliced = other.replace(/\{.*\}/u, () => /\{[^]*?\}/u.exec(ours)?.[0] ?? name);
    expect((await refusal(Buffer.from(spliced, 'latin1'))).problem).toBe('altered');
  });

  it.each([
    ['nothing', ''],
    ['a page', '<html></html>'],
    ['bare JSON', content],
    ['another MIME type', `Content-Type: text/plain\n\n${content}`],
    ['no boundary', 'Content-Type: multipart/signed\n\nx'],
    ['no parts', 'Content-Type: multipart/signed; boundary="b"\n\n--b--\n'],
    [
      'a signature that is not base64',
      'Content-Type: multipart/signed; boundary=b\n\n--b\n{}\n--b\nContent-Type: application/x-pkcs7-signature\nContent-Transfer-Encoding: base64\n\n?\n--b--\n',
    ],
    [
      'a signature that is not CMS',
      'Content-Type: multipart/signed; boundary=b\n\n--b\n{}\n--b\nContent-Type: application/x-pkcs7-signature\nContent-Transfer-Encoding: base64\n\nMAMCAQE=\n--b--\n',
    ],
  ])('refuses %s', async (_name, text) => {
    expect((await refusal(Buffer.from(text))).problem).toBe('malformed');
  });

  it('refuses a message cut short anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: signed.length - 4 }), async (length) => {
        await refusal(signed.subarray(0, length));
      }),
      { numRuns: 60 },
    );
  });

  it('never hands out changed content, whichever byte changes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(signed.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const altered = Buffer.from(signed);
        altered[at] = (altered[at] ?? 0) ^ change;
        const opened = await openSigned(altered, trust).catch((error: unknown) => error);
        if (opened instanceof Error) expect(opened).toBeInstanceOf(FeedError);
        else expect(opened).toMatchObject({ text: content.replaceAll('\n', '\r\n') });
      }),
      { numRuns: 300 },
    );
  });
});
