import { SystemNetworkConfig } from '@incusos/contracts/network';
import { describe, expect, it } from 'vitest';
import { timeoutOf } from './confirmation-timeout.ts';

const timeout = (own?: string, byDefault?: string): number | undefined =>
  timeoutOf(
    SystemNetworkConfig.fromPartial({
      ...(own === undefined ? {} : { confirmation_timeout: own }),
      ...(byDefault === undefined ? {} : { default_confirmation_timeout: byDefault }),
    }),
  );

describe('the time for a confirmation', () => {
  it.each([
    [undefined, undefined, undefined],
    ['', '', undefined],
    ['5m', undefined, 300_000],
    [undefined, '1h30m', 5_400_000],
    ['', '10s', 10_000],
    ['1.5s', '10s', 1500],
    ['1ns', undefined, 1],
  ])('of %o, by default %o, is %o milliseconds', (own, byDefault, milliseconds) => {
    expect(timeout(own, byDefault)).toBe(milliseconds);
  });

  it.each([
    ['5', undefined, 'config.confirmation_timeout', /^invalid confirmation timeout provided: /u],
    ['5 minutes', undefined, 'config.confirmation_timeout', /^invalid confirmation timeout provided: /u],
    ['1d', '10s', 'config.confirmation_timeout', /^invalid confirmation timeout provided: /u],
    ['0s', undefined, 'config.confirmation_timeout', /^confirmation timeout must be greater than zero$/u],
    ['-5s', undefined, 'config.confirmation_timeout', /^confirmation timeout must be greater than zero$/u],
    [
      '5s',
      'soon',
      'config.default_confirmation_timeout',
      /^invalid default confirmation timeout provided: /u,
    ],
    [
      '5s',
      '0',
      'config.default_confirmation_timeout',
      /^default confirmation timeout must be greater than zero$/u,
    ],
  ])('is not %o, by default %o', (own, byDefault, field, message) => {
    expect(() => timeout(own, byDefault)).toThrow(
      expect.objectContaining({
        reason: 'INVALID_REQUEST',
        message: expect.stringMatching(message),
        fields: [{ field, reason: expect.stringMatching(message) }],
      }) as Error,
    );
  });
});
