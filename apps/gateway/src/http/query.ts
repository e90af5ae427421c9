import type { FastifyRequest } from 'fastify';

/** All values of a query parameter. */
export function queryValues(request: FastifyRequest, name: string): string[] {
  const value = (request.query as Readonly<Record<string, unknown>>)[name];
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((text) => typeof text === 'string' && text !== '') as string[];
}

/** The first value of a query parameter; undefined when it is absent or empty. */
export function queryValue(request: FastifyRequest, name: string): string | undefined {
  return queryValues(request, name)[0];
}
