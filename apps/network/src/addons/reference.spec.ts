/** Every example of the reference is one that the API takes, and the reference has every field with an example. */
import { readFileSync } from 'node:fs';
import { ServiceNetbirdConfig, ServiceOVNConfig, ServiceTailscaleConfig } from '@incusos/contracts/addons';
import { bodies, validateBody } from '@incusos/contracts/dto';
import { parse } from 'yaml';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeCertificates, type TestCertificates } from '../testing/certificates.ts';
import type { Violations } from '../config/violation.ts';
import { checkNetbird } from './netbird-rules.ts';
import { checkOvn } from './ovn-rules.ts';
import { checkTailscale } from './tailscale-rules.ts';

const reference = readFileSync(
  new URL('../../../../docs/reference/services-network.md', import.meta.url),
  'utf8',
);

const examples = [...reference.matchAll(/```yaml\n# service: (\w+)\n([\s\S]*?)```/gu)].map(
  ([, service = '', text = '']) => ({ service, text }),
);

/** Puts in what the examples have no room for. */
function complete(text: string, { certificate, key, authority }: TestCertificates): unknown {
  const made: Readonly<Record<string, string>> = { CERTIFICATE: certificate, KEY: key, AUTHORITY: authority };
  const whole = text.replaceAll(
    /^( +)(CERTIFICATE|KEY|AUTHORITY)$/gmu,
    (_line, indent: string, name: string) => (made[name] ?? '').trim().replaceAll(/^/gmu, indent),
  );
  return parse(whole);
}

function problems(service: string, body: unknown): string[] {
  const said = (violations: Violations): string[] =>
    [...violations].map(({ field, message }) => `${field}: ${message}`);
  switch (service) {
    case 'ovn': {
      const result = validateBody(bodies.addonConfigs.ovn, body);
      if (!result.valid) return result.violations.map(({ text }) => text);
      return said(checkOvn(result.message.config ?? ServiceOVNConfig.create()));
    }
    case 'tailscale': {
      const result = validateBody(bodies.addonConfigs.tailscale, body);
      if (!result.valid) return result.violations.map(({ text }) => text);
      return said(checkTailscale(result.message.config ?? ServiceTailscaleConfig.create()));
    }
    case 'netbird': {
      const result = validateBody(bodies.addonConfigs.netbird, body);
      if (!result.valid) return result.violations.map(({ text }) => text);
      return said(checkNetbird(result.message.config ?? ServiceNetbirdConfig.create()));
    }
    default:
      return [`there is no service ${service}`];
  }
}

const fields = {
  netbird: Object.keys(ServiceNetbirdConfig.create()),
  ovn: Object.keys(ServiceOVNConfig.create()),
  tailscale: Object.keys(ServiceTailscaleConfig.create()),
};

describe('the reference of the network services', () => {
  let certificates: TestCertificates;
  beforeAll(async () => {
    certificates = await makeCertificates();
  });

  it.each(examples)('has an example of $service that is taken: $text', ({ service, text }) => {
    expect(problems(service, complete(text, certificates))).toEqual([]);
  });

  it.each(Object.entries(fields))(
    'has every field of %s in its table and in an example',
    (service, names) => {
      const chapter = reference.split(`\n## ${service}\n`)[1]?.split('\n## ')[0] ?? '';
      const shown = new Set(
        examples
          .filter((example) => example.service === service)
          .flatMap(({ text }) => Object.keys((parse(text) as { config: object }).config)),
      );
      for (const name of names) {
        expect(chapter, name).toContain(`| \`${name}\` `);
        expect(shown, name).toContain(name);
      }
    },
  );
});
