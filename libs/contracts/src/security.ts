/** Messages and clients of the security service. */
export * from './generated/incusos/security/v1/security.ts';
export * from './generated/incusos/security/v1/security_service.ts';
export * from './generated/incusos/security/v1/fallback_listener.ts';
export * from './generated/incusos/security/v1/trust_service.ts';
