/** Carries the id that ties the log lines of one request together. */
export const correlationIdKey = 'x-correlation-id';
