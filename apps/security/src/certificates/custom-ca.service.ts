/**
 * Certificate authorities that the operator adds to those of the image.
 *
 * Invariant: `/etc/ssl/certs` is a link that is switched as a whole, so programs find the old or the new bundle.
 */
import { HOST, type Host } from '@incusos/host';
import { DomainError, LOGGER, type Logger } from '@incusos/service';
import { Inject, Injectable } from '@nestjs/common';
import { X509Certificate } from 'node:crypto';
import { readCertificate, toPem } from './pem.ts';

/** Where programs look for certificate authorities. */
const link = '/etc/ssl/certs';
/** The image's read-only store. */
const imageStore = '/usr/share/certs';
const ownStore = '/etc/ssl/incus-os-certs';
const bundle = 'ca-certificates.crt';

const field = 'config.custom_ca_certs';

@Injectable()
export class CustomCaService {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * Checks certificates; changes nothing.
   * @throws DomainError INVALID_REQUEST, naming the certificate by its index.
   */
  check(certificates: readonly string[]): void {
    for (const [index, pem] of certificates.entries()) {
      const found = readCertificate(pem);
      if (found instanceof X509Certificate) continue;
      const message = {
        'not-pem': `unable to decode certificate ${index}`,
        'other-block': `certificate ${index} isn't a PEM-encoded certificate`,
        'not-valid': `certificate ${index} is not valid`,
      }[found.kind];
      const reason = found.kind === 'not-valid' ? found.reason : 'must be a certificate in PEM';
      throw new DomainError('INVALID_REQUEST', message, {
        fields: [{ field: `${field}[${index}]`, reason }],
      });
    }
  }

  /** Shows programs the image's authorities and these. Repeatable; writes nothing that is as it should be. */
  async apply(certificates: readonly string[]): Promise<void> {
    if (certificates.length === 0) {
      await this.point(imageStore);
      await this.host.files.remove(ownStore);
      return;
    }
    const own = certificates
      .map((pem) => readCertificate(pem))
      .filter((found) => found instanceof X509Certificate);
    const text =
      `${(await this.imageBundle()).trimEnd()}\n${own.map((certificate) => toPem(certificate)).join('')}`.trimStart();
    const path = `${ownStore}/${bundle}`;
    const { files } = this.host;
    if (!(await files.exists(path)) || (await files.readText(path)) !== text)
      await files.writeAtomic(path, text);
    await this.point(ownStore);
  }

  private async imageBundle(): Promise<string> {
    const path = `${imageStore}/${bundle}`;
    if (await this.host.files.exists(path)) return this.host.files.readText(path);
    this.logger.warn(`the image has no certificate authorities in ${path}`);
    return '';
  }

  private async point(target: string): Promise<void> {
    const { files } = this.host;
    const present = await files.stat(link);
    if (present?.kind === 'symlink' && (await files.readLink(link)) === target) return;
    if (present !== undefined && present.kind !== 'symlink') await files.remove(link);
    await files.makeSymlink(target, link);
  }
}
