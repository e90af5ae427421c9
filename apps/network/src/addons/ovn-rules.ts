/** What a configuration of the OVN service has to be. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { ServiceOVNConfig } from '@incusos/contracts/addons';
import type { Violation, Violations } from '../config/violation.ts';

/** Encapsulations that ovn-controller 25.03 knows (`ovn-encap-type` in ovn-controller(8)). */
const protocols = ['geneve', 'vxlan', 'stt'];

const tlsFields = ['tls_client_certificate', 'tls_client_key', 'tls_ca_certificate'] as const;

export function* checkOvn(config: ServiceOVNConfig): Violations {
  if (config.enabled && config.database === '')
    yield { field: 'config.database', message: 'missing OVN database address' };
  for (const remote of listed(config.database)) {
    if (!isRemote(remote)) {
      yield {
        field: 'config.database',
        message: `invalid OVN database address '${remote}', must be ssl:<host>:<port>, tcp:<host>:<port> or unix:<path>`,
      };
    }
  }
  for (const address of listed(config.tunnel_address)) {
    if (isIP(address) === 0)
      yield { field: 'config.tunnel_address', message: `invalid OVN tunnel address '${address}'` };
  }
  for (const protocol of listed(config.tunnel_protocol)) {
    if (!protocols.includes(protocol)) {
      yield {
        field: 'config.tunnel_protocol',
        message: `invalid OVN tunnel protocol '${protocol}', must be one of ${protocols.join(', ')}`,
      };
    }
  }
  yield* checkTls(config);
}

/** Whether the connection to the database is made with certificates. */
export function hasTls(config: ServiceOVNConfig): boolean {
  return tlsFields.some((field) => (config[field] ?? '') !== '');
}

/** The members of a comma-separated list. */
function listed(text: string): string[] {
  return text === '' ? [] : text.split(',');
}

/** Active connection methods of ovsdb(7). */
function isRemote(remote: string): boolean {
  const network = /^(?:ssl|tcp):(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/u.exec(remote);
  if (network === null) return /^unix:\/[\x21-\x2B\x2D-\x7E]+$/u.test(remote);
  const [, six, host = '', port = '6642'] = network;
  const known = six === undefined ? /^[A-Za-z\d](?:[A-Za-z\d.-]*[A-Za-z\d])?$/u.test(host) : isIP(six) === 6;
  return known && Number(port) >= 1 && Number(port) <= 65_535;
}

function* checkTls(config: ServiceOVNConfig): Violations {
  if (hasTls(config)) {
    for (const field of tlsFields) {
      if ((config[field] ?? '') === '')
        yield violation(field, 'is missing: a certificate, its key and a CA certificate belong together');
    }
  } else if (config.enabled && listed(config.database).some((remote) => remote.startsWith('ssl:'))) {
    yield violation('tls_client_certificate', 'is missing: a database at ssl: needs certificates');
  }
  const certificate = yield* certificateOf(config, 'tls_client_certificate');
  yield* certificateOf(config, 'tls_ca_certificate');
  const key = config.tls_client_key ?? '';
  if (key === '') return;
  try {
    const parsed = createPrivateKey(key);
    if (certificate !== undefined && !certificate.checkPrivateKey(parsed))
      yield violation('tls_client_key', "isn't the key of tls_client_certificate");
  } catch {
    yield violation('tls_client_key', 'is no private key in PEM without a passphrase');
  }
}

function* certificateOf(
  config: ServiceOVNConfig,
  field: 'tls_client_certificate' | 'tls_ca_certificate',
): Generator<Violation, X509Certificate | undefined> {
  const text = config[field] ?? '';
  if (text === '') return undefined;
  try {
    if (!text.includes('-----BEGIN CERTIFICATE-----')) throw new Error('no PEM');
    return new X509Certificate(text);
  } catch {
    yield violation(field, 'is no certificate in PEM');
    return undefined;
  }
}

function violation(field: (typeof tlsFields)[number], problem: string): Violation {
  return { field: `config.${field}`, message: `${field} ${problem}` };
}
