/** The gRPC error model. */
export * from './generated/google/rpc/status.ts';
export * from './generated/google/rpc/error_details.ts';
export * from './generated/google/protobuf/any.ts';
export * from './generated/google/protobuf/duration.ts';
