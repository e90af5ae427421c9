/**
 * Opens a signed message of the feed (`index.sjson`, `update.sjson`): the content is handed out only after its
 * signature and its signer were found good.
 *
 * The public feed is made by `openssl smime -sign -text`: a detached signature in a `multipart/signed` message, over
 * the content with CRLF line ends and a `text/plain` header. Opaque messages (`-nodetach`) and binary ones
 * (`-binary`) are read too. Where a message has several signers, each has to be good.
 */
import type { X509Certificate } from 'node:crypto';
import { FeedError } from '../feed-error.ts';
import { checkChain, readAuthority } from './chain.ts';
import type { Cms } from './cms.ts';
import { canonicalLines, readSignedEntity, readTextContent } from './mime-entity.ts';

/** Whom this machine trusts to sign releases. */
export interface Trust {
  /** PEM; where the signer's chain has to end. */
  readonly root: string;
  /** PEM; what the signer's chain has to contain. */
  readonly updateCa: string;
  /** The time of the check; now unless given. */
  readonly at?: Date;
}

export interface SignedText {
  /** Without MIME headers; line ends are as they were signed. */
  readonly text: string;
  /** The subjects of those who signed it, such as `O=Example, CN=Release signing`. */
  readonly signers: readonly string[];
}

/**
 * Opens a signed message.
 * @throws FeedError `malformed`, `altered` or `untrusted`.
 */
export async function openSigned(message: Uint8Array, trust: Trust): Promise<SignedText> {
  try {
    return await open(message, trust);
  } catch (error) {
    if (error instanceof FeedError) throw error;
    // What libraries throw at senseless bytes has no form.
    throw new FeedError('malformed', "the signed message can't be read: its signature makes no sense", {
      cause: error,
    });
  }
}

async function open(message: Uint8Array, trust: Trust): Promise<SignedText> {
  const root = readAuthority(trust.root, 'the trusted root');
  const updateCa = readAuthority(trust.updateCa, 'the update CA');
  const entity = readSignedEntity(message);
  // Brings a library of some megabytes along, which a service needs only when it checks for releases.
  const { readCms } = await import('./cms.ts');
  const cms = readCms(entity.cms);
  if (cms.carriesContent !== (entity.content === undefined)) {
    throw new FeedError(
      'malformed',
      "the signed message can't be read: it carries its content twice or not at all",
    );
  }
  const { content, signers } = await verified(cms, entity.content);
  for (const signer of signers) {
    checkChain(signer, cms.certificates, { root, updateCa, at: trust.at ?? new Date(), limits: cms.limits });
  }
  return {
    text: readTextContent(content),
    signers: signers.map(({ subject }) => subject.replaceAll('\n', ', ')),
  };
}

interface Verified {
  readonly content: Uint8Array;
  readonly signers: readonly X509Certificate[];
}

/**
 * Finds the form in which the content was signed: with the line ends of mail, or exactly as it came.
 */
async function verified(cms: Cms, content: Buffer | undefined): Promise<Verified> {
  if (content === undefined) return cms.verify(undefined);
  const canonical = canonicalLines(content);
  try {
    return await cms.verify(canonical);
  } catch (error) {
    if (canonical.equals(content) || !(error instanceof FeedError) || error.problem !== 'altered')
      throw error;
    return cms.verify(content);
  }
}
