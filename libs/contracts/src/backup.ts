/** Messages and client of the backup service. */
export * from './generated/incusos/backup/v1/reset.ts';
export * from './generated/incusos/backup/v1/backup_service.ts';
