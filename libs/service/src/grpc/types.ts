/** The types of handlers and clients, derived from a generated service definition. */
import type { CallContext } from './call-context.ts';

/** Limits of one call. */
export interface CallOptions {
  /** Milliseconds; 30 000 unless given, and never longer than the surrounding call has left. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** An answer that is the same as the one before may be the same object, which is not to be changed then. */
  readonly sameAnswer?: boolean;
}

/** One method of a generated service definition. */
export interface MethodShape {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly requestSerialize: (value: never) => Buffer;
  readonly requestDeserialize: (bytes: Buffer) => unknown;
  readonly responseSerialize: (value: never) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => unknown;
}

/** A generated service definition, such as `NetworkServiceService`. */
export type ServiceShape = Readonly<Record<string, MethodShape>>;

type Request<M extends MethodShape> = ReturnType<M['requestDeserialize']>;
type Response<M extends MethodShape> = ReturnType<M['responseDeserialize']>;

type Handler<M extends MethodShape> = M['requestStream'] extends true
  ? M['responseStream'] extends true
    ? (requests: AsyncIterable<Request<M>>, call: CallContext) => AsyncIterable<Response<M>>
    : (requests: AsyncIterable<Request<M>>, call: CallContext) => Promise<Response<M>>
  : M['responseStream'] extends true
    ? (request: Request<M>, call: CallContext) => AsyncIterable<Response<M>>
    : (request: Request<M>, call: CallContext) => Promise<Response<M>> | Response<M>;

/** What a controller of the service has to have: `class NetworkController implements ServiceHandlers<typeof NetworkServiceService>`. */
export type ServiceHandlers<S extends ServiceShape> = { [K in keyof S]: Handler<S[K]> };

type ClientMethod<M extends MethodShape> = M['requestStream'] extends true
  ? M['responseStream'] extends true
    ? (requests: AsyncIterable<Request<M>>, options?: CallOptions) => AsyncIterable<Response<M>>
    : (requests: AsyncIterable<Request<M>>, options?: CallOptions) => Promise<Response<M>>
  : M['responseStream'] extends true
    ? (request: Request<M>, options?: CallOptions) => AsyncIterable<Response<M>>
    : (request: Request<M>, options?: CallOptions) => Promise<Response<M>>;

/** A service as its callers see it. Every method throws a `DomainError`. */
export type ServiceClient<S extends ServiceShape> = { readonly [K in keyof S]: ClientMethod<S[K]> };
