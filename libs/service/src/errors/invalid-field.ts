import { DomainError } from './domain-error.ts';

/**
 * A request that is wrong in one field.
 * @param field its path, such as `config.interfaces[0].mtu`.
 * @param message the sentence for the caller.
 * @param reason what is wrong with the field; the message unless given.
 */
export function invalidField(field: string, message: string, reason = message): DomainError {
  return new DomainError('INVALID_REQUEST', message, { fields: [{ field, reason }] });
}
