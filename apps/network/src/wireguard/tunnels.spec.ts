import { describe, expect, it } from 'vitest';
import { parseTunnels } from './tunnels.ts';

const now = 1_700_000_000_000;
const seconds = now / 1000;
const row = (...fields: (string | number)[]): string => `${fields.join('\t')}\n`;

describe('the state of tunnels', () => {
  it('has the devices and their peers', () => {
    const tunnels = parseTunnels(
      row('wg0', 'secret=', 'public=', 51_820, 'off') +
        row(
          'wg0',
          'one=',
          'shared=',
          '192.0.2.1:51820',
          '10.0.0.2/32,fd00::2/128',
          seconds - 73,
          180,
          92,
          25,
        ) +
        row('wg0', 'two=', '(none)', '(none)', '(none)', 0, 0, 148, 'off') +
        row('wg1', '(none)', '(none)', 0, 'off'),
      now,
    );
    expect([...tunnels]).toEqual([
      [
        'wg0',
        {
          public_key: 'public=',
          listening_port: 51_820,
          peers: [
            {
              public_key: 'one=',
              endpoint: '192.0.2.1:51820',
              allowed_ips: ['10.0.0.2/32', 'fd00::2/128'],
              latest_handshake: '1 minute, 13 seconds ago',
              persistent_keepalive: 'every 25 seconds',
              stats: { rx_bytes: 180n, rx_errors: 0n, tx_bytes: 92n, tx_errors: 0n },
            },
            {
              public_key: 'two=',
              endpoint: '',
              allowed_ips: [],
              stats: { rx_bytes: 0n, rx_errors: 0n, tx_bytes: 148n, tx_errors: 0n },
            },
          ],
        },
      ],
      ['wg1', { public_key: '', peers: [] }],
    ]);
  });

  it('has none of their secrets', () => {
    const dump =
      row('wg0', 'secret=', 'public=', 1, 'off') + row('wg0', 'one=', 'shared=', '', '', 0, 0, 0, 'off');
    const text = JSON.stringify([...parseTunnels(dump, now)], (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    expect(text).not.toMatch(/secret|shared/u);
  });

  it.each([
    [0, 'Now'],
    [-5, 'Now'],
    [1, '1 second ago'],
    [3600, '1 hour ago'],
    [2 * 86_400 + 61, '2 days, 1 minute, 1 second ago'],
  ])('words a handshake of %d s ago as wg does', (age, words) => {
    const dump =
      row('w', 's', 'p', 1, 'off') +
      row('w', 'one=', '(none)', '(none)', '(none)', seconds - age, 0, 0, 'off');
    expect(parseTunnels(dump, now).get('w')?.peers[0]?.latest_handshake).toBe(words);
  });

  it('is empty without a tunnel', () => {
    expect(parseTunnels('', now).size).toBe(0);
  });
});
