/** One call makes a process one of our services. */
import 'reflect-metadata';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { HealthService } from '@incusos/contracts/health';
import { type DynamicModule, type INestApplicationContext, Module, type Type } from '@nestjs/common';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import { DomainError } from '../errors/domain-error.ts';
import { definitionOf } from '../grpc/grpc-controller.ts';
import { Health } from '../grpc/health.ts';
import { addController } from '../grpc/server.ts';
import { createLogger, type Logger } from '../logging/logger.ts';
import { NestLogger } from '../logging/nest-logger.ts';
import { LOGGER } from '../logging/tokens.ts';
import { socketPath } from './sockets.ts';
import { clearStaleSocket, restrictSocket } from './stale-socket.ts';
import { onStop, stopOnSignals } from './stop.ts';
import { detailOf } from '../errors/error-text.ts';

export interface ServiceOptions {
  /** Where it listens; the service's usual socket unless given. */
  readonly socket?: string;
  /** Called once it listens and before it says that it is ready. */
  readonly beforeReady?: (app: INestApplicationContext) => Promise<void>;
}

/** How long calls that are under way may take once the process stops, and how long streams may. */
const drainMs = 3_000;
const streamDrainMs = 300;

/**
 * Starts a service: its Nest module, gRPC on its unix socket for every `@GrpcController` provider, `grpc.health.v1`,
 * the logger (inject {@link LOGGER}), and an orderly stop.
 */
export async function bootstrapService(
  module: Type | DynamicModule,
  name: string,
  options: ServiceOptions = {},
): Promise<INestApplicationContext> {
  const logger = createLogger(name);
  process.on('unhandledRejection', (reason) => {
    logger.error('a promise failed and nobody waited for it', {
      error: detailOf(reason),
    });
    process.exit(1);
  });
  const started = performance.now();
  const app = await NestFactory.createApplicationContext(withLogger(module, logger), {
    logger: new NestLogger(logger),
    abortOnError: false,
  });
  const server = new Server({ 'grpc.max_receive_message_length': 32 * 1024 * 1024 });
  const stopping = new AbortController();
  const services = addControllers(server, app, logger, stopping.signal);
  const health = new Health(services);
  addController(server, HealthService, health, logger, stopping.signal);
  const path = options.socket ?? socketPath(name);
  await listen(server, path);
  onStop(() => app.close());
  onStop(() => drain(server, stopping));
  onStop(() => health.set(false));
  stopOnSignals((message) => logger.warn(message));
  await options.beforeReady?.(app);
  health.set(true);
  logger.info('service is ready', { start_ms: Math.round(performance.now() - started) });
  return app;
}

function withLogger(module: Type | DynamicModule, logger: Logger): DynamicModule {
  class ServiceRoot {}
  Module({})(ServiceRoot);
  return {
    module: ServiceRoot,
    global: true,
    imports: [module],
    providers: [{ provide: LOGGER, useValue: logger }],
    exports: [LOGGER],
  };
}

function addControllers(
  server: Server,
  app: INestApplicationContext,
  logger: Logger,
  stopping: AbortSignal,
): string[] {
  const names: string[] = [];
  for (const module of app.get(ModulesContainer).values()) {
    for (const { metatype, instance } of module.providers.values()) {
      const definition = definitionOf(metatype);
      if (definition === undefined || typeof instance !== 'object' || instance === null) continue;
      addController(server, definition, instance, logger, stopping);
      const path = Object.values(definition)[0]?.path;
      if (path !== undefined) names.push(path.slice(1, path.lastIndexOf('/')));
    }
  }
  return names;
}

async function listen(server: Server, path: string): Promise<void> {
  await clearStaleSocket(path);
  const before = process.umask(0o117);
  try {
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  } finally {
    process.umask(before);
  }
  await restrictSocket(path);
}

function drain(server: Server, stopping: AbortController): Promise<void> {
  return new Promise((resolve) => {
    const endStreams = setTimeout(() => {
      stopping.abort(new DomainError('UNAVAILABLE', 'the service is stopping'));
    }, streamDrainMs);
    const force = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, drainMs);
    server.tryShutdown(() => {
      clearTimeout(endStreams);
      clearTimeout(force);
      resolve();
    });
  });
}
