/** Messages and client of the applications service. */
export * from './generated/incusos/applications/v1/application.ts';
export * from './generated/incusos/applications/v1/applications_service.ts';
