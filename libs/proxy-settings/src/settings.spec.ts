import { describe, expect, it } from 'vitest';
import { formatSettings, parseSettings, type ProxySettings } from './settings.ts';

const settings: ProxySettings = {
  servers: {
    open: { host: 'a.test', port: 3128, tls: false, authentication: { type: 'anonymous' } },
    corp: {
      host: 'b.test',
      port: 8080,
      tls: true,
      authentication: { type: 'basic', username: 'machine', password: 's3cret "word"' },
    },
    realm: {
      host: 'c.test',
      port: 3128,
      tls: false,
      authentication: { type: 'kerberos', realm: 'C.TEST', principal: 'machine@C.TEST', password: 's3cret' },
    },
  },
  rules: [
    { destination: '*.internal', target: 'direct' },
    { destination: '*', target: 'corp' },
  ],
};

describe('the settings of the local proxy', () => {
  it('are read as they were written', () => {
    expect(parseSettings(formatSettings(settings))).toEqual(settings);
  });

  it('with a rule for a server that there is not are refused', () => {
    const text = formatSettings({ ...settings, rules: [{ destination: '*', target: 'toString' }] });
    expect(() => parseSettings(text)).toThrow('no proxy defined for target toString');
  });

  it('that are damaged are refused without telling a secret', () => {
    const text = formatSettings(settings);
    for (const damaged of [
      text.slice(0, -20),
      text.replace('"machine"', 'machine'),
      '[]',
      '{"servers":{},"rules":{}}',
    ]) {
      expect(() => parseSettings(damaged)).toThrow(/^(?!.*s3cret).+$/u);
    }
  });
});
