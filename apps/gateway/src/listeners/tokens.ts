/** Injects the certificate and key that the gateway shows. */
export const SERVER_IDENTITY = Symbol('server identity');
