import { invalidField } from '@incusos/service';
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

/**
 * Whether a query parameter is on (`1`, `true`) or off (`0`, `false`, absent).
 * @throws DomainError `INVALID_REQUEST` for any other value, an empty one and several values too.
 */
export function queryFlag(request: FastifyRequest, name: string): boolean {
  const value = (request.query as Readonly<Record<string, unknown>>)[name];
  if (value === undefined || value === '0' || value === 'false') return false;
  if (value === '1' || value === 'true') return true;
  throw invalidField(name, `the query parameter ${name} has to be 1 or 0`);
}
