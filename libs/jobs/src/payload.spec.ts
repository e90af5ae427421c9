import { expect, test } from 'vitest';
import { requireNoSecrets } from './payload.ts';

test('a payload that names something to work on may go into the queue', () => {
  for (const payload of [
    { pool: 'tank', force: true },
    { drives: [{ id: 'a' }] },
    undefined,
    'tank',
    { monkey: 1 },
  ]) {
    expect(() => requireNoSecrets(payload), JSON.stringify(payload)).not.toThrow();
  }
});

test('a payload with a member that could be a secret is refused and the member named', () => {
  for (const member of [
    'key',
    'encryption_key',
    'password',
    'passphrase',
    'token',
    'client_secret',
    'encryptionKey',
  ]) {
    expect(() => requireNoSecrets({ pools: [{ [member]: 'x' }] })).toThrow(`data.pools.0.${member}`);
  }
});
