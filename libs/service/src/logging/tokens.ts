/** Injects the process's logger. */
export const LOGGER = Symbol('logger');
