/**
 * Whether a signer may sign releases: a chain of certificates, each issued by the next, leads from the signer through
 * the update CA to the root that this machine trusts, and every one of them is valid at the time of the check.
 *
 * Names, signatures, CA flags and key usage are judged by OpenSSL through `node:crypto`; only the search and the
 * update CA's place in the chain are decided here. A message can bring as many certificates as it likes, so the search
 * is bounded.
 */
import { X509Certificate } from 'node:crypto';
import { FeedError } from '../feed-error.ts';

const maxCertificates = 16;
const maxDepth = 6;

/** `id-kp-emailProtection` (RFC 5280, 4.2.1.12): what S/MIME signatures are made with. */
const emailProtection = '1.3.6.1.5.5.7.3.4';

/** What a certificate says that `node:crypto` doesn't tell. */
export interface CertificateLimits {
  /** Whether its key is for signatures. */
  readonly maySign: boolean;
  /** How many CAs may come between it and the signer; without limit if it doesn't say. */
  readonly pathLength: number | undefined;
}

export interface ChainRules {
  readonly root: X509Certificate;
  readonly updateCa: X509Certificate;
  readonly at: Date;
  readonly limits: (certificate: X509Certificate) => CertificateLimits;
}

/**
 * Reads a certificate in PEM.
 * @param name what it is, for the error.
 * @throws FeedError `malformed` when it is none.
 */
export function readAuthority(pem: string, name: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new FeedError('malformed', `${name} is not a certificate in PEM`, { cause: error });
  }
}

/**
 * Checks that a chain leads from the signer to the root through the update CA.
 * @param carried the certificates that came with the message.
 * @throws FeedError `untrusted`, saying what is missing.
 */
export function checkChain(
  signer: X509Certificate,
  carried: readonly X509Certificate[],
  rules: ChainRules,
): void {
  if (carried.length > maxCertificates) {
    throw untrusted(
      `the signature carries ${carried.length} certificates, at most ${maxCertificates} are looked at`,
    );
  }
  checkSigner(signer, rules);
  const chains = findChains(signer, [...carried, rules.root], rules.root);
  if (chains.length === 0)
    throw untrusted(`the signer '${nameOf(signer)}' does not lead to the trusted root`);
  const through = chains.filter((chain) => chain.slice(1).some((issuer) => same(issuer, rules.updateCa)));
  if (through.length === 0) {
    throw untrusted(
      `the signer '${nameOf(signer)}' was not certified by the update CA '${nameOf(rules.updateCa)}'`,
    );
  }
  const problems = through.map((chain) => problemOf(chain, rules));
  if (!problems.includes(undefined)) throw untrusted(problems[0] ?? 'no chain is valid');
}

/** All chains from a certificate to the root. */
function findChains(
  signer: X509Certificate,
  pool: readonly X509Certificate[],
  root: X509Certificate,
): X509Certificate[][] {
  const issuers = new Map<X509Certificate, X509Certificate[]>();
  const issuersOf = (certificate: X509Certificate): X509Certificate[] => {
    const known = issuers.get(certificate) ?? pool.filter((candidate) => isIssuedBy(certificate, candidate));
    issuers.set(certificate, known);
    return known;
  };
  const found: X509Certificate[][] = [];
  const extend = (chain: X509Certificate[], last: X509Certificate): void => {
    if (same(last, root)) {
      found.push(chain);
      return;
    }
    if (chain.length === maxDepth) return;
    for (const issuer of issuersOf(last)) {
      if (!chain.some((member) => same(member, issuer))) extend([...chain, issuer], issuer);
    }
  };
  extend([signer], signer);
  return found;
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function problemOf(chain: readonly X509Certificate[], { at, limits }: ChainRules): string | undefined {
  for (const [place, certificate] of chain.entries()) {
    if (at < certificate.validFromDate) {
      return `the certificate '${nameOf(certificate)}' is not valid before ${certificate.validFromDate.toISOString()}`;
    }
    if (at > certificate.validToDate) {
      return `the certificate '${nameOf(certificate)}' expired at ${certificate.validToDate.toISOString()}`;
    }
    // The signer at place 0 doesn't count.
    if (place > 0 && place - 1 > (limits(certificate).pathLength ?? Infinity)) {
      return `the certificate '${nameOf(certificate)}' does not allow ${place - 1} CAs below it`;
    }
  }
  return undefined;
}

function checkSigner(signer: X509Certificate, { limits }: ChainRules): void {
  // The types say that it is always there; a certificate without the extension has none.
  const purposes = signer.keyUsage as string[] | undefined;
  if ((purposes !== undefined && !purposes.includes(emailProtection)) || !limits(signer).maySign) {
    throw untrusted(`the certificate of the signer '${nameOf(signer)}' is not for signing messages`);
  }
}

function same(a: X509Certificate, b: X509Certificate): boolean {
  return a.raw.equals(b.raw);
}

/** The subject on one line, such as `O=Example, CN=Update CA`. */
function nameOf(certificate: X509Certificate): string {
  return certificate.subject.replaceAll('\n', ', ');
}

function untrusted(why: string): FeedError {
  return new FeedError('untrusted', `the release feed can't be trusted: ${why}`);
}
