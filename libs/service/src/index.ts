/** What makes a process one of our services. */
export {
  bootstrapService,
  type RunningService,
  type ServiceOptions,
  startService,
} from './lifecycle/bootstrap.ts';
export { announceReady } from './lifecycle/service-manager.ts';
export { keepCompiledCode } from './lifecycle/compile-cache.ts';
export { onStop, stopOnSignals } from './lifecycle/stop.ts';
export {
  runDirectory,
  type ServiceName,
  serviceNames,
  socketPath,
  usableSocketPath,
} from './lifecycle/sockets.ts';
export { DomainError } from './errors/domain-error.ts';
export { invalidField } from './errors/invalid-field.ts';
export { detailOf, reasonOf } from './errors/error-text.ts';
export { errorReasons, type ErrorReason, type FieldViolation, httpStatus } from './errors/reasons.ts';
export { fromGrpcError, toGrpcError } from './errors/grpc-status.ts';
export { type CallContext, currentCall, runInCall } from './grpc/call-context.ts';
export { GrpcController } from './grpc/grpc-controller.ts';
export type { CallOptions, ServiceClient, ServiceHandlers } from './grpc/types.ts';
export { lasting } from './grpc/lasting-answers.ts';
export { connectService, type ServiceConnection } from './grpc/client.ts';
export { checkHealth } from './grpc/health-client.ts';
export { createLogger, type Logger } from './logging/logger.ts';
export { LOGGER } from './logging/tokens.ts';
export { NestLogger } from './logging/nest-logger.ts';
export { addController } from './grpc/server.ts';
export { attempt } from './lifecycle/attempt.ts';
export { ChangeSignal } from './lifecycle/change-signal.ts';
export { ExclusiveRunner } from './lifecycle/exclusive-runner.ts';
export { clearStaleSocket, restrictSocket } from './lifecycle/stale-socket.ts';
