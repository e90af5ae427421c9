/** What a configuration of the NetBird service has to be: what `netbird up` would refuse is refused before it runs. */
import { isIP } from 'node:net';
import type { ServiceNetbirdConfig } from '@incusos/contracts/addons';
import type { Violations } from '../config/violation.ts';
import { checkText, isHttpUrl } from './text-rules.ts';

/** `validateDnsLabels` in NetBird's client/cmd/up.go. */
const mostLabels = 32;

export function* checkNetbird(config: ServiceNetbirdConfig): Violations {
  yield* checkText(config, ['setup_key', 'management_url', 'admin_url', 'dns_resolver_address']);
  for (const field of ['management_url', 'admin_url'] as const) {
    if (config[field] !== '' && !isHttpUrl(config[field])) {
      yield {
        field: `config.${field}`,
        message: `invalid ${field} '${config[field]}', must be an http or https URL`,
      };
    }
  }
  if (config.dns_resolver_address !== '' && !isEndpoint(config.dns_resolver_address)) {
    yield {
      field: 'config.dns_resolver_address',
      message: `invalid DNS resolver address '${config.dns_resolver_address}', must be <IP>:<port>`,
    };
  }
  for (const [index, mapping] of config.external_ip_map.entries()) {
    if (!isMapping(mapping)) {
      yield {
        field: `config.external_ip_map[${index}]`,
        message: `external IP map ${index} '${mapping}' must be <IP>, <IP>/<IP> or <IP>/<interface>`,
      };
    }
  }
  if (config.extra_dns_labels.length > mostLabels) {
    yield {
      field: 'config.extra_dns_labels',
      message: `there are more than ${mostLabels} extra DNS labels`,
    };
  }
  for (const [index, label] of config.extra_dns_labels.entries()) {
    if (!/^[A-Za-z\d](?:[A-Za-z\d-]{0,61}[A-Za-z\d])?$/u.test(label)) {
      yield {
        field: `config.extra_dns_labels[${index}]`,
        message: `extra DNS label ${index} '${label}' is no DNS label`,
      };
    }
  }
}

function isEndpoint(text: string): boolean {
  const [, six, four = '', port = ''] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/u.exec(text) ?? [];
  const known = six === undefined ? isIP(four) === 4 : isIP(six) === 6;
  return known && Number(port) <= 65_535;
}

function isMapping(text: string): boolean {
  const [external = '', internal, ...more] = text.split('/');
  if (more.length > 0 || isIP(external) === 0) return false;
  return (
    internal === undefined || isIP(internal) !== 0 || /^[\x21-\x2B\x2D\x2E\x30-\x7E]{1,15}$/u.test(internal)
  );
}
