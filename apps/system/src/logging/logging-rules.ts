/** What makes a logging configuration wrong. Values end up in configuration files and may not bring lines along. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type {
  SystemLoggingConfig,
  SystemLoggingJournalUpload,
  SystemLoggingSyslog,
} from '@incusos/contracts/system';
import { type DomainError, invalidField } from '@incusos/service';

/** systemd-netlogd(8), `Protocol=` and `LogFormat=`. */
const protocols = ['udp', 'tcp', 'tls', 'dtls'];
const formats = ['rfc5424', 'rfc3339', 'rfc5425'];

/** @throws DomainError `INVALID_REQUEST` naming the field. */
export function checkLoggingConfig({ syslog, journal_upload }: SystemLoggingConfig): void {
  if (syslog !== undefined) checkSyslog(syslog);
  if (journal_upload !== undefined) checkJournalUpload(journal_upload);
}

function wrong(field: string, message: string): DomainError {
  return invalidField(`config.${field}`, message);
}

function checkSyslog({ address, protocol, log_format }: SystemLoggingSyslog): void {
  if (address !== '' && !isHostAndPort(address)) {
    throw wrong('syslog.address', `syslog address '${address}' is not host:port`);
  }
  if (protocol !== '' && !protocols.includes(protocol)) {
    throw wrong(
      'syslog.protocol',
      `unsupported syslog protocol '${protocol}', must be one of [${protocols.join(' ')}]`,
    );
  }
  if (log_format !== '' && !formats.includes(log_format)) {
    throw wrong(
      'syslog.log_format',
      `unsupported log format '${log_format}', must be one of [${formats.join(' ')}]`,
    );
  }
}

/** `host:port`, `address:port` or `[IPv6 address]:port`. */
function isHostAndPort(text: string): boolean {
  const match = /^(?:\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/u.exec(text);
  const port = Number(match?.[1] ?? 0);
  return port > 0 && port < 65_536;
}

function checkJournalUpload(upload: SystemLoggingJournalUpload): void {
  const { url, tls_client_certificate, tls_client_key, tls_ca_certificate } = upload;
  if (url === '') {
    if (tls_client_certificate !== '' || tls_client_key !== '' || tls_ca_certificate !== '') {
      throw wrong('journal_upload.url', 'journal upload needs a URL');
    }
    return;
  }
  checkUrl(url);
  if (tls_ca_certificate !== '') certificate(tls_ca_certificate, 'tls_ca_certificate');
  if ((tls_client_certificate === '') !== (tls_client_key === '')) {
    throw wrong('journal_upload', 'a client certificate and its key have to be given together');
  }
  if (tls_client_certificate === '') return;
  const own = certificate(tls_client_certificate, 'tls_client_certificate');
  let fits: boolean;
  try {
    fits = own.checkPrivateKey(createPrivateKey(tls_client_key));
  } catch {
    throw wrong('journal_upload.tls_client_key', 'the client key is not a private key in PEM form');
  }
  if (!fits)
    throw wrong('journal_upload.tls_client_key', "the client key doesn't belong to the client certificate");
}

function checkUrl(url: string): void {
  const parsed = /^https?:\/\/[^\s%]+$/u.test(url) && URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || parsed.username !== '' || parsed.password !== '') {
    throw wrong('journal_upload.url', `'${url}' is not an http or https URL`);
  }
}

function certificate(pem: string, field: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw wrong(
      `journal_upload.${field}`,
      `the ${field.replaceAll('_', ' ')} is not a certificate in PEM form`,
    );
  }
}
