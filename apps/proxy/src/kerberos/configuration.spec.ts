import { describe, expect, it } from 'vitest';
import { krb5Configuration } from './configuration.ts';

describe('what the Kerberos library is told', () => {
  it('is whose realm a proxy server is of, and where the KDC of a realm is that DNS does not name', () => {
    const text = krb5Configuration([{ realm: 'EXAMPLE.TEST', host: 'Proxy.example.test' }], ['OTHER.TEST']);
    expect(text).toContain(
      '[realms]\nOTHER.TEST = {\nkdc = other.test:88\n}\n[domain_realm]\nproxy.example.test = EXAMPLE.TEST\n',
    );
    expect(text).toContain('dns_lookup_kdc = true\n');
  });
});
