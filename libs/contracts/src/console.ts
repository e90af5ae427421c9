/** What other services may put on the machine's own screen. */
export * from './generated/incusos/console/v1/console_service.ts';
