import { NetworkServiceService } from '@incusos/contracts/network';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TestGateway } from '../testing/test-gateway.ts';

const network = '/1.0/system/network';
const body = JSON.stringify({ config: { interfaces: [{ name: 'enp5s0', hwaddr: 'enp5s0' }] } });
const plan = {
  files: [{ path: '/etc/hosts', change: 'changed', diff: '-a\n+b' }],
  devices: [{ name: 'enp5s0', change: 'created' }],
  interrupted: ['enp5s0'],
  warnings: [],
};

describe('a change of the network', () => {
  let test: TestGateway;

  beforeAll(async () => {
    test = await TestGateway.start();
    test.services.on('network', NetworkServiceService, 'planConfig', () => ({ plan }));
  });

  beforeEach(() => {
    test.services.seen.length = 0;
  });

  afterAll(async () => {
    await test.stop();
  });

  const calls = (): string[] =>
    test.services.seen.map(({ call }) => call).filter((call) => call.includes('NetworkService'));

  it.each(['1', 'true'])('is only planned with dry-run=%s', async (value) => {
    const reply = await test.ask(`${network}?dry-run=${value}`, { method: 'PUT', body });
    expect([reply.status, reply.json()]).toEqual([200, expect.objectContaining({ metadata: plan })]);
    expect(calls()).toEqual(['incusos.network.v1.NetworkService/PlanConfig']);
  });

  it.each(['0', 'false'])('is made with dry-run=%s', async (value) => {
    const reply = await test.ask(`${network}?dry-run=${value}`, { method: 'PUT', body });
    expect([reply.status, reply.json()]).toEqual([200, expect.objectContaining({ metadata: {} })]);
    expect(calls()).toEqual(['incusos.network.v1.NetworkService/SetConfig']);
  });

  it.each(['dry-run=', 'dry-run=yes', 'dry-run', 'dry-run=1&dry-run=0'])(
    'is neither planned nor made with %s',
    async (query) => {
      const reply = await test.ask(`${network}?${query}`, { method: 'PUT', body });
      expect([reply.status, reply.json()]).toEqual([
        400,
        expect.objectContaining({ error: 'the query parameter dry-run has to be 1 or 0' }),
      ]);
      expect(calls()).toEqual([]);
    },
  );
});
