/**
 * The HTTP proxy of this machine: takes requests on localhost and hands them to the proxy servers that the network
 * configuration names, with their credentials, by its rules.
 *
 * The settings come as the credential `settings` of the unit (systemd.exec(5)) and are read once: a change of them is a
 * restart. The process has no state and no rights.
 */
import type { Server } from 'node:http';
import { setDefaultCACertificates } from 'node:tls';
import { openHost } from '@incusos/host';
import { parseSettings } from '@incusos/proxy-settings';
import { kerberosCredentials } from './kerberos/credentials.ts';
import { listen } from './listen.ts';
import { log } from './log.ts';
import { createProxy } from './server/proxy-server.ts';
import { authority, routesOf } from './upstream/routes.ts';

const authorities = '/etc/ssl/certs/ca-certificates.crt';
/** How long a stop waits for requests that are under way; tunnels don't end by themselves. */
const drainMs = 2_000;

async function start(): Promise<void> {
  const host = await openHost();
  const { CREDENTIALS_DIRECTORY: credentials, RUNTIME_DIRECTORY: runtime } = process.env;
  if (credentials === undefined || runtime === undefined) {
    throw new Error(
      'CREDENTIALS_DIRECTORY and RUNTIME_DIRECTORY have to say where the settings and own files are',
    );
  }
  const settings = parseSettings(await host.files.readText(`${credentials}/settings`));
  const bundle = await host.files.readText(authorities).catch(() => undefined);
  const certificates = bundle?.match(/-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/gu);
  if (certificates) setDefaultCACertificates(certificates);
  const findRoute = routesOf(settings, kerberosCredentials(host, runtime));
  const servers = await listen(() => createProxy(findRoute, log), process.env);
  for (const server of servers) server.on('error', (error) => fail(error));
  const stop = (): void => {
    setTimeout(() => process.exit(0), drainMs).unref();
    for (const server of servers) server.close();
  };
  // A supervisor that is no service manager is gone when its channel is.
  process.once('SIGTERM', stop).once('SIGINT', stop).once('disconnect', stop);
  const places = servers.map((server) => addressOf(server)).join(' and ');
  const { rules, servers: known } = settings;
  log(
    'info',
    `the proxy listens on ${places}; servers: ${Object.keys(known).length}, rules: ${rules.length}`,
  );
}

function addressOf(server: Server): string {
  const address = server.address();
  return address === null || typeof address === 'string'
    ? 'a socket'
    : authority(address.address, address.port);
}

function fail(error: unknown): never {
  log('error', `the proxy ends: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}

process.on('unhandledRejection', fail);
await start().catch(fail);
