/**
 * Errors on their way over gRPC: the status code for everyone, and `google.rpc` details (ErrorInfo with our reason,
 * BadRequest with the fields) for us.
 */
import { Metadata, type ServiceError, type StatusObject, status } from '@grpc/grpc-js';
import { BadRequest, ErrorInfo, Status } from '@incusos/contracts/rpc';
import { DomainError } from './domain-error.ts';
import { errorReasons, isErrorReason, reasonOfStatus } from './reasons.ts';

const detailsKey = 'grpc-status-details-bin';
const typePrefix = 'type.googleapis.com/google.rpc.';
const domain = 'incusos';

/** The gRPC status of an error, with its details as trailing metadata. */
export function toGrpcError(error: DomainError): Partial<StatusObject> {
  const code = errorReasons[error.reason].grpc;
  const details = [
    {
      type_url: `${typePrefix}ErrorInfo`,
      value: Buffer.from(ErrorInfo.encode({ reason: error.reason, domain, metadata: {} }).finish()),
    },
  ];
  if (error.fields.length > 0) {
    const field_violations = error.fields.map(({ field, reason }) => ({ field, description: reason }));
    const request = BadRequest.encode(BadRequest.create({ field_violations })).finish();
    details.push({ type_url: `${typePrefix}BadRequest`, value: Buffer.from(request) });
  }
  const metadata = new Metadata();
  const encoded = Status.encode({ code, message: error.message, details }).finish();
  metadata.set(detailsKey, Buffer.from(encoded));
  return { code, details: error.message, metadata };
}

/**
 * The error that a call of ours failed with.
 * @param service who was called, for when it didn't answer at all.
 * @param gaveUp whether we cancelled the call ourselves; otherwise one that was cancelled was broken off by a service
 * that stops.
 */
export function fromGrpcError(error: ServiceError, service: string, gaveUp = false): DomainError {
  const details = error.metadata.get(detailsKey)[0];
  if (details instanceof Buffer) return fromDetails(Status.decode(details), error);
  const code = error.code === status.CANCELLED && !gaveUp ? status.UNAVAILABLE : error.code;
  return new DomainError(reasonOfStatus(code), explanation(code, error.details, service), { cause: error });
}

/** A sentence for a status that came from gRPC itself and not from a handler of ours. */
function explanation(code: status, details: string, service: string): string {
  const sentences: Partial<Record<status, string>> = {
    [status.UNAVAILABLE]: `the ${service} service is not available right now, try again`,
    [status.DEADLINE_EXCEEDED]: `the ${service} service did not answer in time`,
    [status.UNIMPLEMENTED]: 'not implemented',
    [status.INTERNAL]: `the ${service} service failed unexpectedly`,
    [status.UNKNOWN]: `the ${service} service failed unexpectedly`,
    [status.RESOURCE_EXHAUSTED]: `a message to or from the ${service} service is too large`,
  };
  return sentences[code] ?? details;
}

function fromDetails(rpcStatus: Status, cause: ServiceError): DomainError {
  let reason = reasonOfStatus(cause.code);
  let fields: { field: string; reason: string }[] = [];
  for (const { type_url, value } of rpcStatus.details) {
    if (type_url === `${typePrefix}ErrorInfo`) {
      const info = ErrorInfo.decode(value);
      if (isErrorReason(info.reason)) reason = info.reason;
    } else if (type_url === `${typePrefix}BadRequest`) {
      fields = BadRequest.decode(value).field_violations.map(({ field, description }) => ({
        field,
        reason: description,
      }));
    }
  }
  return new DomainError(reason, rpcStatus.message, { cause, fields });
}
