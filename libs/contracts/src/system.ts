/** Messages and clients of the system service. */
export * from './generated/incusos/system/v1/environment.ts';
export * from './generated/incusos/system/v1/kernel.ts';
export * from './generated/incusos/system/v1/logging.ts';
export * from './generated/incusos/system/v1/resources.ts';
export * from './generated/incusos/system/v1/system_service.ts';
export * from './generated/incusos/system/v1/debug.ts';
export * from './generated/incusos/system/v1/debug_service.ts';
