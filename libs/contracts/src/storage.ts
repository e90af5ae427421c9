/** Messages and client of the storage service. */
export * from './generated/incusos/storage/v1/storage.ts';
export * from './generated/incusos/storage/v1/storage_service.ts';
