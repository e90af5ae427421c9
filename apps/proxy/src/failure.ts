/** Why a request could not be carried out, as a sentence that names the hop where it ended. */

/** The types of errors of a proxy that RFC 9209 has names for. */
export type FailureType =
  | 'destination_ip_unroutable'
  | 'connection_refused'
  | 'connection_terminated'
  | 'connection_timeout'
  | 'dns_error'
  | 'http_request_denied'
  | 'http_request_error'
  | 'http_response_incomplete'
  | 'http_response_timeout'
  | 'proxy_configuration_error'
  | 'proxy_internal_error'
  | 'proxy_loop_detected'
  | 'tls_certificate_error'
  | 'tls_protocol_error';

export class ProxyFailure extends Error {
  override readonly name = 'ProxyFailure';

  /**
   * @param status what the client is answered with.
   * @param message a sentence without secrets.
   */
  constructor(
    readonly status: number,
    readonly type: FailureType,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Nobody is there to be answered; the status is in nobody's sight. */
export function clientGone(): ProxyFailure {
  return new ProxyFailure(499, 'connection_terminated', 'the client went away');
}

/** What anything that was thrown means to the client. */
export function failureOf(error: unknown): ProxyFailure {
  if (error instanceof ProxyFailure) return error;
  return new ProxyFailure(500, 'proxy_internal_error', 'the proxy of this machine failed', { cause: error });
}
