/**
 * Starts the gateway: one handler behind two listeners, the unix socket for who may open its file and HTTPS for trusted
 * clients.
 */
import 'reflect-metadata';
import { join } from 'node:path';
import type { RequestListener, Server } from 'node:http';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createLogger, type Logger, NestLogger, runDirectory } from '@incusos/service';
import { GatewayModule } from './gateway.module.ts';
import { EnvelopeFilter } from './http/envelope.filter.ts';
import { createHttpAdapter } from './http/http-adapter.ts';
import { RequestLog } from './http/request-log.ts';
import { HttpsListener } from './listeners/https-listener.ts';
import { createLocalServer, listenLocally } from './listeners/local-listener.ts';
import { gatewayDirectory, serverIdentity } from './room/server-certificate.ts';
import { TrustedClients } from './trust/trusted-clients.ts';

export interface GatewayOptions {
  /** Of HTTPS; 0 = any free one. */
  readonly port: number;
  /** Of HTTPS; all addresses unless given. */
  readonly address?: string;
  /** Of the gateway's own files; the usual one unless given. */
  readonly directory?: string;
  readonly logger?: Logger;
}

export interface Gateway {
  readonly app: NestFastifyApplication;
  /** The port of HTTPS. */
  readonly port: number;
  /** The path of the unix socket. */
  readonly socket: string;
  /** Finishes the requests that are under way, for 3 s at most, and ends. */
  stop(): Promise<void>;
}

/** How long requests that are under way may take once the gateway stops. */
const drainMs = 3_000;
const drainCheckMs = 20;

export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const logger = options.logger ?? createLogger('gateway');
  const identity = await serverIdentity(options.directory ?? gatewayDirectory());
  const requests = new RequestLog(logger);
  const { adapter, handler, local } = createHttp(requests);
  const app = await NestFactory.create<NestFastifyApplication>(
    GatewayModule.of({ logger, identity, requests }),
    adapter,
    {
      logger: new NestLogger(logger),
      bodyParser: false,
      abortOnError: false,
    },
  );
  app.useGlobalFilters(app.get(EnvelopeFilter));
  await app.init();
  await adapter.getInstance().ready();

  const https = new HttpsListener(handler, app.get(TrustedClients), identity);
  const socket = join(runDirectory(), 'unix.socket');
  const stop = async (): Promise<void> => {
    await drain([local, https.server]);
    await app.close();
  };
  try {
    await listenLocally(local, socket);
    const port = await https.listen(options.port, options.address);
    for (const server of [local, https.server]) {
      server.on('error', (error) =>
        logger.warn('a connection could not be accepted', { error: error.message }),
      );
    }
    return { app, port, socket, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Fastify makes its server while it is made itself, and hands over what answers requests only then. */
function createHttp(requests: RequestLog) {
  let made: { local: Server; handler: RequestListener } | undefined;
  const adapter = createHttpAdapter((handler) => {
    made = { local: createLocalServer(handler), handler };
    return made.local;
  }, requests);
  if (made === undefined) throw new Error('Fastify did not ask for its server');
  return { adapter, ...made };
}

/** Takes no more requests and waits for those under way. */
async function drain(
  servers: readonly Pick<Server, 'close' | 'closeIdleConnections' | 'closeAllConnections'>[],
): Promise<void> {
  let open = servers.length;
  for (const server of servers) server.close(() => (open -= 1));
  for (const end = Date.now() + drainMs; open > 0 && Date.now() < end;) {
    for (const server of servers) server.closeIdleConnections();
    await new Promise((resolve) => setTimeout(resolve, drainCheckMs));
  }
  for (const server of servers) server.closeAllConnections();
}
