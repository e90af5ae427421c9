/** The gRPC health checking protocol. */
export * from './generated/grpc/health/v1/health.ts';
