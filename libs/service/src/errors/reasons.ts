/**
 * Every way a call can fail, and what it is called in gRPC and in the REST API. The table is the only place that
 * knows; `satisfies` makes a reason without an entry a compile error.
 */
import { status } from '@grpc/grpc-js';

export const errorReasons = {
  /** The request is wrong, whatever the machine's state. */
  INVALID_REQUEST: { grpc: status.INVALID_ARGUMENT, http: 400 },
  /** The caller showed no certificate that is trusted. */
  NOT_TRUSTED: { grpc: status.UNAUTHENTICATED, http: 403 },
  /** The caller is known but may not do this. */
  FORBIDDEN: { grpc: status.PERMISSION_DENIED, http: 403 },
  NOT_FOUND: { grpc: status.NOT_FOUND, http: 404 },
  /** It exists already, or another operation of its kind is under way. */
  CONFLICT: { grpc: status.ALREADY_EXISTS, http: 409 },
  /** The machine isn't in a state in which this can be done; something else has to be done first. */
  PRECONDITION_FAILED: { grpc: status.FAILED_PRECONDITION, http: 412 },
  /** The request is larger than allowed. */
  TOO_LARGE: { grpc: status.OUT_OF_RANGE, http: 413 },
  /** It was tried and failed; the message is for the caller. */
  OPERATION_FAILED: { grpc: status.ABORTED, http: 500 },
  /** A defect of ours; the message tells the caller nothing but where to look. */
  INTERNAL: { grpc: status.INTERNAL, http: 500 },
  NOT_IMPLEMENTED: { grpc: status.UNIMPLEMENTED, http: 501 },
  /** What is needed isn't running or is out of reach for now; trying again may help. */
  UNAVAILABLE: { grpc: status.UNAVAILABLE, http: 503 },
  /** It took longer than the call's deadline. */
  TIMED_OUT: { grpc: status.DEADLINE_EXCEEDED, http: 504 },
  /** The caller gave up. */
  CANCELLED: { grpc: status.CANCELLED, http: 499 },
  /** A disk or a limit is full. */
  NO_SPACE: { grpc: status.RESOURCE_EXHAUSTED, http: 507 },
} as const satisfies Record<string, { readonly grpc: status; readonly http: number }>;

export type ErrorReason = keyof typeof errorReasons;

/** What is wrong with one field of a request; `field` is its path, such as `config.interfaces[0].mtu`. */
export interface FieldViolation {
  readonly field: string;
  readonly reason: string;
}

/** The HTTP status of the REST API for a reason. */
export function httpStatus(reason: ErrorReason): number {
  return errorReasons[reason].http;
}

/** The reason that a bare gRPC status stands for, when no details came with it. */
export function reasonOfStatus(code: status): ErrorReason {
  for (const [reason, entry] of Object.entries(errorReasons)) {
    if (entry.grpc === code && isErrorReason(reason)) return reason;
  }
  return 'INTERNAL';
}

export function isErrorReason(text: string): text is ErrorReason {
  return Object.hasOwn(errorReasons, text);
}
