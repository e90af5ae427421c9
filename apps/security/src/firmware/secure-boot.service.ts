/** The certificates that decide what this machine boots. */
import { X509Certificate } from 'node:crypto';
import type {
  InternalSecureBootCertificates,
  SystemSecuritySecureBootCertificate,
} from '@incusos/contracts/security';
import { LOGGER, type Logger } from '@incusos/service';
import { Inject, Injectable } from '@nestjs/common';
import { formatDistinguishedName } from '../certificates/distinguished-name.ts';
import { fingerprintOf, toPem } from '../certificates/pem.ts';
import { FirmwareService, type FirmwareSnapshot } from './firmware.service.ts';
import { parseSignatureDatabase } from './signature-list.ts';
import { Warnings } from './warnings.ts';

const databases = ['PK', 'KEK', 'db', 'dbx'] as const;
type Database = (typeof databases)[number];

interface SecureBootCertificate {
  readonly database: Database;
  readonly certificate: X509Certificate;
}

@Injectable()
export class SecureBootService {
  private readonly parsed = new WeakMap<FirmwareSnapshot, readonly SecureBootCertificate[]>();
  private readonly warnings: Warnings;

  constructor(
    @Inject(FirmwareService) private readonly firmware: FirmwareService,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.warnings = new Warnings(logger);
  }

  async enabled(): Promise<boolean> {
    return (await this.firmware.snapshot()).secureBoot;
  }

  /** All certificates with their names, in the order PK, KEK, db, dbx. */
  async list(): Promise<SystemSecuritySecureBootCertificate[]> {
    return (await this.certificates()).map(({ database, certificate }) => {
      const { subject, issuer } = certificate.toLegacyObject();
      return {
        type: database,
        fingerprint: fingerprintOf(certificate),
        subject: formatDistinguishedName(subject),
        issuer: formatDistinguishedName(issuer),
      };
    });
  }

  /** All certificates as PEM. */
  async export(): Promise<InternalSecureBootCertificates> {
    const certificates = await this.certificates();
    const of = (wanted: Database): string[] =>
      certificates.filter(({ database }) => database === wanted).map(({ certificate }) => toPem(certificate));
    return { pk: of('PK')[0] ?? '', kek: of('KEK'), db: of('db'), dbx: of('dbx') };
  }

  private async certificates(): Promise<readonly SecureBootCertificate[]> {
    const snapshot = await this.firmware.snapshot();
    const known = this.parsed.get(snapshot);
    if (known !== undefined) return known;
    const certificates = databases.flatMap((database) =>
      this.read(database, snapshot.variables.get(database) ?? Buffer.alloc(0)),
    );
    this.parsed.set(snapshot, certificates);
    return certificates;
  }

  private read(database: Database, data: Buffer): SecureBootCertificate[] {
    const { signatures, problems } = parseSignatureDatabase(data);
    for (const problem of problems) this.warnings.warn(`Secure Boot variable ${database}: ${problem}`);
    return signatures
      .filter(({ kind }) => kind === 'x509')
      .flatMap(({ data: der }, index) => {
        try {
          return [{ database, certificate: new X509Certificate(der) }];
        } catch {
          this.warnings.warn(`Secure Boot variable ${database}: certificate ${index} can't be read`);
          return [];
        }
      });
  }
}
