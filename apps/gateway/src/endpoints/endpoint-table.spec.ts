import { AddonHostService } from '@incusos/contracts/addons';
import { ApplicationsServiceService } from '@incusos/contracts/applications';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestGateway } from '../testing/test-gateway.ts';
import { type Endpoint, endpoints, isEndpointPath } from './endpoint-table.ts';

/** The published index, method by method, and what October added. */
const published = `
/ GET
/1.0 GET
/1.0/applications GET POST
/1.0/applications/{name} GET PUT
/1.0/applications/{name}/:action POST
/1.0/applications/{name}/:backup POST
/1.0/applications/{name}/:check-update POST
/1.0/applications/{name}/:debug POST
/1.0/applications/{name}/:factory-reset POST
/1.0/applications/{name}/:remove POST
/1.0/applications/{name}/:restart POST
/1.0/applications/{name}/:restore POST
/1.0/applications/{name}/:switch-version POST
/1.0/debug GET
/1.0/debug/kernel GET
/1.0/debug/log GET
/1.0/debug/processes GET
/1.0/debug/report GET
/1.0/debug/:run-script POST
/1.0/debug/secureboot GET
/1.0/debug/secureboot/event-log GET
/1.0/debug/secureboot/:update POST
/1.0/services GET
/1.0/services/{name} GET PUT
/1.0/services/{name}/:reset POST
/1.0/system GET
/1.0/system/:backup POST
/1.0/system/:factory-reset POST
/1.0/system/:poweroff POST
/1.0/system/:reboot POST
/1.0/system/:restore POST
/1.0/system/:suspend POST
/1.0/system/fallback-listener GET PUT
/1.0/system/kernel GET PUT
/1.0/system/logging GET PUT
/1.0/system/network GET PUT
/1.0/system/network/:confirm POST
/1.0/system/network/:flush-dns POST
/1.0/system/provider GET PUT
/1.0/system/resources GET
/1.0/system/security GET PUT
/1.0/system/security/:retrieved POST
/1.0/system/security/:tpm-rebind POST
/1.0/system/storage GET PUT
/1.0/system/storage/:cleanup-root POST
/1.0/system/storage/:create-volume POST
/1.0/system/storage/:delete-pool POST
/1.0/system/storage/:delete-volume POST
/1.0/system/storage/:encrypt-drive POST
/1.0/system/storage/:import-encrypted-drive POST
/1.0/system/storage/:import-pool POST
/1.0/system/storage/:rescan-scsi POST
/1.0/system/storage/:scrub-pool POST
/1.0/system/storage/:trim-pool POST
/1.0/system/storage/:wipe-drive POST
/1.0/system/update GET PUT
/1.0/system/update/:check POST
/internal/auth/:generate-registration POST
/internal/auth/:generate-token POST
/internal/secureboot GET
/internal/tui/:write-message POST
`
  .trim()
  .split('\n')
  .flatMap((line) => {
    const [path = '', ...methods] = line.split(' ');
    return methods.map((method) => `${method} ${path}`);
  });

/** Ours alone. */
const extensions = ['POST /1.0/system/:recover-state'];

/** Bodies that a request must have to get as far as its service. */
const bodies: Readonly<Record<string, unknown>> = {
  'POST /1.0/applications': { name: 'incus' },
  'PUT /1.0/applications/{name}': { config: {} },
  'POST /1.0/applications/{name}/:debug': { action: 'get-logs' },
  'PUT /1.0/services/{name}': { config: { enabled: true } },
  'POST /1.0/system/:recover-state': { service: 'network', use: 'previous' },
  'PUT /1.0/system/fallback-listener': { config: { trusted_client_certificates: ['x'] } },
  'PUT /1.0/system/kernel': { config: {} },
  'PUT /1.0/system/logging': { config: {} },
  'PUT /1.0/system/network': { config: { interfaces: [{ name: 'a', hwaddr: 'a' }] } },
  'PUT /1.0/system/provider': { config: { name: 'images' } },
  'PUT /1.0/system/security': { config: { encryption_recovery_keys: ['x'] } },
  'PUT /1.0/system/storage': { config: { scrub_schedule: '0 4 * * 0' } },
  'POST /1.0/system/storage/:create-volume': { pool: 'p', name: 'v', use: 'incus' },
  'POST /1.0/system/storage/:delete-pool': { name: 'p' },
  'POST /1.0/system/storage/:delete-volume': { pool: 'p', name: 'v' },
  'POST /1.0/system/storage/:encrypt-drive': { id: 'd' },
  'POST /1.0/system/storage/:import-encrypted-drive': { id: 'd', key: 'k' },
  'POST /1.0/system/storage/:import-pool': { name: 'p', type: 'zfs' },
  'POST /1.0/system/storage/:scrub-pool': { name: 'p' },
  'POST /1.0/system/storage/:trim-pool': { name: 'p' },
  'POST /1.0/system/storage/:wipe-drive': { id: 'd' },
  'PUT /1.0/system/update': { config: { check_frequency: '6h' } },
  'POST /internal/auth/:generate-registration': { token: 't' },
  'POST /internal/tui/:write-message': { level: 'INFO', message: 'm' },
};

const named = (path: string): string => path.replace('{name}', 'iscsi');
const keyOf = ({ method, path }: Endpoint): string => `${method} ${path}`;

describe('endpoint table', () => {
  let test: TestGateway;

  beforeAll(async () => {
    test = await TestGateway.start();
    test.services.on('storage', AddonHostService, 'listAddons', () => ({ names: ['iscsi'] }));
    test.services.on('storage', AddonHostService, 'getAddon', () => ({
      addon: { $case: 'iscsi', value: { state: undefined, config: undefined } },
    }));
    test.services.on('applications', ApplicationsServiceService, 'getApplication', () => ({
      application: { $case: 'plain', value: { state: undefined, config: undefined } },
    }));
  });

  afterAll(async () => {
    await test.stop();
  });

  it('has every endpoint of the published index and nothing else but our extensions', () => {
    expect(endpoints.map(keyOf).toSorted()).toEqual([...published, ...extensions].toSorted());
  });

  it.each(endpoints.map((endpoint) => [keyOf(endpoint), endpoint] as const))(
    'answers %s with the calls that the table names',
    async (key, { method, path, calls }) => {
      test.services.seen.length = 0;
      const body = bodies[key];
      const reply = await test.ask(named(path), {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      expect(reply.status, reply.text).toBe(200);
      expect([...new Set(test.services.seen.map(({ call }) => call))]).toEqual(calls);
    },
  );

  it('answers 501 to every method that an endpoint lacks', async () => {
    const paths = [...new Set(endpoints.map(({ path }) => path))];
    const missing = paths.flatMap((path) =>
      ['GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS']
        .filter((method) => !endpoints.some((other) => other.method === method && other.path === path))
        .map((method) => ({ method, path })),
    );
    for (const { method, path } of missing) {
      const reply = await test.ask(named(path), { method });
      expect([method, path, reply.status]).toEqual([method, path, 501]);
      expect(reply.json()).toMatchObject({
        type: 'error',
        error_code: 501,
        error: 'not implemented',
        metadata: null,
      });
    }
    const head = await test.ask('/1.0', { method: 'HEAD' });
    expect(head.status).toBe(501);
  });

  it('tells paths that exist from those that do not', () => {
    expect(isEndpointPath('/1.0/system/:backup')).toBe(true);
    expect(isEndpointPath('/1.0/applications/incus-lts-7.0/:backup')).toBe(true);
    expect(isEndpointPath('/1.0/system/nothing')).toBe(false);
    expect(isEndpointPath('/1x0')).toBe(false);
    expect(isEndpointPath('/1.0/applications/a/b')).toBe(false);
  });
});
