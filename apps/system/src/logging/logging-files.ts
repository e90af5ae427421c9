/** What the forwarding daemons read: systemd-netlogd(8) and systemd-journal-upload.service(8). */
import type { SystemLoggingJournalUpload, SystemLoggingSyslog } from '@incusos/contracts/system';

export const netlogdUnit = 'systemd-netlogd.service';
export const netlogdFile = '/etc/systemd/netlogd.conf';
export const uploadUnit = 'systemd-journal-upload.service';
const uploadFile = '/etc/systemd/journal-upload.conf';
/** What systemd itself reads, of which it has to be told. */
export const unitDirectory = '/etc/systemd/system/';
const uploadDropIn = '/etc/systemd/system/systemd-journal-upload.service.d/10-certificates.conf';
const certificates = '/etc/systemd/journal-upload';
const credentials = '/run/credentials/systemd-journal-upload.service';

export function netlogdConfig({ address, protocol, log_format }: SystemLoggingSyslog): string {
  return [
    '[Network]',
    `Address=${address}`,
    `Protocol=${protocol === '' ? 'udp' : protocol}`,
    `LogFormat=${log_format === '' ? 'rfc5424' : log_format}`,
    '',
  ].join('\n');
}

/** A file of the configuration; `secret` ones are for root only. */
export interface LoggingFile {
  readonly path: string;
  readonly content: string;
  readonly secret?: boolean;
}

/** Paths of everything that journal upload may have; what isn't in use is removed. */
export const uploadPaths = [
  uploadFile,
  uploadDropIn,
  ...['client.crt', 'client.key', 'ca.crt'].map((name) => `${certificates}/${name}`),
];

/**
 * The daemon runs as a user of its own and reads the key as a credential, which the service manager hands to it alone
 * (systemd.exec(5), LoadCredential=).
 */
export function uploadFiles(upload: SystemLoggingJournalUpload): LoggingFile[] {
  const withClient = upload.tls_client_certificate !== '';
  const withCa = upload.tls_ca_certificate !== '';
  const config = [
    '[Upload]',
    `URL=${upload.url}`,
    `ServerKeyFile=${withClient ? `${credentials}/client.key` : '-'}`,
    `ServerCertificateFile=${withClient ? `${certificates}/client.crt` : '-'}`,
    `TrustedCertificateFile=${withCa ? `${certificates}/ca.crt` : '/etc/ssl/certs/ca-certificates.crt'}`,
    '',
  ];
  const files: LoggingFile[] = [{ path: uploadFile, content: config.join('\n') }];
  if (withCa) files.push({ path: `${certificates}/ca.crt`, content: upload.tls_ca_certificate });
  if (withClient) {
    files.push(
      { path: `${certificates}/client.crt`, content: upload.tls_client_certificate },
      { path: `${certificates}/client.key`, content: upload.tls_client_key, secret: true },
      { path: uploadDropIn, content: `[Service]\nLoadCredential=client.key:${certificates}/client.key\n` },
    );
  }
  return files;
}
