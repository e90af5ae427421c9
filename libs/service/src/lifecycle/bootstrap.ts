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
import { keepCompiledCode } from './compile-cache.ts';
import { announceReady } from './service-manager.ts';
import { socketPath } from './sockets.ts';
import { clearStaleSocket, restrictSocket } from './stale-socket.ts';
import { onStop, stopOnSignals } from './stop.ts';
import { detailOf } from '../errors/error-text.ts';

export interface ServiceOptions {
  /** Where it listens; the service's usual socket unless given. */
  readonly socket?: string;
  readonly logger?: Logger;
}

/** How long calls that are under way may take once the process stops, and how long streams may. */
const drainMs = 3_000;
const streamDrainMs = 300;

/** A service that answers calls. */
export interface RunningService {
  /** Answers no more calls, lets those under way end for 3 s, and ends what the service's parts do. */
  stop(): Promise<void>;
}

/** Makes this process a service: starts it, and stops it in order when the process is to end. */
export async function bootstrapService(
  module: Type | DynamicModule,
  name: string,
  options: ServiceOptions = {},
): Promise<void> {
  const logger = createLogger(name);
  process.on('unhandledRejection', (reason) => {
    logger.error('a promise failed and nobody waited for it', { error: detailOf(reason) });
    process.exit(1);
  });
  const started = performance.now();
  const service = await startService(module, name, { ...options, logger });
  onStop(() => service.stop());
  stopOnSignals((message) => logger.warn(message));
  announceReady((message) => logger.warn(message));
  keepCompiledCode();
  logger.info('service is ready', { start_ms: Math.round(performance.now() - started) });
}

/**
 * Starts a service: its Nest module, gRPC on its unix socket for every `@GrpcController` provider, `grpc.health.v1` and
 * the logger (inject {@link LOGGER}).
 */
export async function startService(
  module: Type | DynamicModule,
  name: string,
  { socket = socketPath(name), logger = createLogger(name) }: ServiceOptions = {},
): Promise<RunningService> {
  const app = await NestFactory.createApplicationContext(withLogger(module, logger), {
    logger: new NestLogger(logger),
    abortOnError: false,
  });
  const server = new Server({ 'grpc.max_receive_message_length': 32 * 1024 * 1024 });
  const stopping = new AbortController();
  const services = addControllers(server, app, logger, stopping.signal);
  const health = new Health(services);
  addController(server, HealthService, health, logger, stopping.signal);
  await listen(server, socket);
  health.set(true);
  return {
    stop: async () => {
      health.set(false);
      await drain(server, stopping);
      await app.close();
    },
  };
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
