/** Messages and clients of the update service. */
export * from './generated/incusos/update/v1/update.ts';
export * from './generated/incusos/update/v1/update_service.ts';
export * from './generated/incusos/update/v1/provider.ts';
export * from './generated/incusos/update/v1/provider_service.ts';
