/**
 * The CMS layer of a signed message (RFC 5652), read and verified by PKI.js. What that library accepts and the feed
 * doesn't need is refused: content that isn't data, weak digests, signed attributes that speak of other content.
 * Chains are not judged here.
 */
import { X509Certificate } from 'node:crypto';
import { BitString, ObjectIdentifier } from 'asn1js';
import {
  BasicConstraints,
  Certificate,
  ContentInfo,
  SignedData,
  SignedDataVerifyError,
  type SignerInfo,
} from 'pkijs';
import { FeedError } from '../feed-error.ts';
import type { CertificateLimits } from './chain.ts';

export interface Cms {
  /** Whether the content is inside; it is handed to `verify` otherwise. */
  readonly carriesContent: boolean;
  readonly certificates: readonly X509Certificate[];
  readonly limits: (certificate: X509Certificate) => CertificateLimits;
  /**
   * Verifies every signature.
   * @throws FeedError `altered` when one does not match, `untrusted` when a signer's certificate is missing.
   */
  readonly verify: (
    content: Buffer | undefined,
  ) => Promise<{ content: Uint8Array; signers: X509Certificate[] }>;
}

/** RFC 5652 and RFC 5280. */
const oid = {
  data: '1.2.840.113549.1.7.1',
  contentType: '1.2.840.113549.1.9.3',
  keyUsage: '2.5.29.15',
  basicConstraints: '2.5.29.19',
} as const;

/** SHA-256, SHA-384 and SHA-512. */
const digests = ['2.16.840.1.101.3.4.2.1', '2.16.840.1.101.3.4.2.2', '2.16.840.1.101.3.4.2.3'];

/** Bits 0 and 1 of KeyUsage: digitalSignature and nonRepudiation. */
const signingUsage = 0b1100_0000;

/** Codes of {@link SignedDataVerifyError} for a signer whose certificate isn't there. */
const withoutCertificate = [2, 3];

/**
 * Reads a CMS structure.
 * @throws FeedError `malformed` when it isn't signed data of a kind that a feed has.
 */
export function readCms(der: Uint8Array): Cms {
  const signed = readSignedData(der);
  const carried = (signed.certificates ?? []).filter((entry) => entry instanceof Certificate);
  return {
    carriesContent: signed.encapContentInfo.eContent !== undefined,
    certificates: carried.map(toX509),
    limits: (certificate) => limitsOf(Certificate.fromBER(certificate.raw)),
    verify: async (content) => {
      const signers: X509Certificate[] = [];
      for (const index of signed.signerInfos.keys()) signers.push(await verifySigner(signed, index, content));
      return { content: content ?? innerContent(signed), signers };
    },
  };
}

function readSignedData(der: Uint8Array): SignedData {
  let signed: SignedData;
  try {
    const info = ContentInfo.fromBER(der);
    if (info.contentType !== ContentInfo.SIGNED_DATA) throw new Error(`content type ${info.contentType}`);
    signed = new SignedData({ schema: info.content });
  } catch (error) {
    throw new FeedError(
      'malformed',
      "the signed message can't be read: its signature is not CMS signed data",
      {
        cause: error,
      },
    );
  }
  if (signed.encapContentInfo.eContentType !== oid.data) throw malformed('it signs something else than data');
  if (signed.signerInfos.length === 0) throw malformed('nobody signed it');
  for (const signer of signed.signerInfos) checkAlgorithms(signer);
  return signed;
}

function checkAlgorithms({ digestAlgorithm, signedAttrs }: SignerInfo): void {
  if (!digests.includes(digestAlgorithm.algorithmId))
    throw malformed('its digest is not one of the SHA-2 family');
  const types = (signedAttrs?.attributes ?? []).filter(({ type }) => type === oid.contentType);
  for (const { values } of types) {
    const value: unknown = values[0];
    if (!(value instanceof ObjectIdentifier) || value.valueBlock.toString() !== oid.data) {
      throw malformed('its signed attributes speak of other content');
    }
  }
}

async function verifySigner(
  signed: SignedData,
  index: number,
  content: Buffer | undefined,
): Promise<X509Certificate> {
  try {
    const data = content === undefined ? {} : { data: new Uint8Array(content).buffer };
    const result = await signed.verify({ signer: index, ...data, extendedMode: true });
    if (result.signatureVerified !== true || !result.signerCertificate)
      throw new Error('the signature does not match');
    return toX509(result.signerCertificate);
  } catch (error) {
    if (error instanceof SignedDataVerifyError && withoutCertificate.includes(error.code)) {
      throw new FeedError(
        'untrusted',
        "the release feed can't be trusted: the signer's certificate is missing",
        {
          cause: error,
        },
      );
    }
    throw new FeedError('altered', 'the release feed was altered: its signature does not match its content', {
      cause: error,
    });
  }
}

function innerContent({ encapContentInfo }: SignedData): Uint8Array {
  if (encapContentInfo.eContent === undefined) throw malformed('it has no content');
  return new Uint8Array(encapContentInfo.eContent.getValue());
}

function toX509(certificate: Certificate): X509Certificate {
  try {
    return new X509Certificate(Buffer.from(certificate.toSchema().toBER()));
  } catch (error) {
    throw new FeedError('malformed', "the signed message can't be read: it carries a bad certificate", {
      cause: error,
    });
  }
}

function limitsOf({ extensions = [] }: Certificate): CertificateLimits {
  const usage: unknown = extensions.find(({ extnID }) => extnID === oid.keyUsage)?.parsedValue;
  const basic: unknown = extensions.find(({ extnID }) => extnID === oid.basicConstraints)?.parsedValue;
  const pathLength = basic instanceof BasicConstraints ? basic.pathLenConstraint : undefined;
  return {
    maySign: !(usage instanceof BitString) || ((usage.valueBlock.valueHexView[0] ?? 0) & signingUsage) !== 0,
    pathLength: typeof pathLength === 'number' ? pathLength : undefined,
  };
}

function malformed(why: string): FeedError {
  return new FeedError('malformed', `the signed message can't be read: ${why}`);
}
