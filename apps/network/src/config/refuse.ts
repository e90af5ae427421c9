/** Turns what is wrong with a configuration into the answer to who sent it. */
import { DomainError } from '@incusos/service';
import type { Violations } from './violation.ts';

/** More than these in one answer help nobody. */
const shown = 100;

/** @throws DomainError when there is any violation; its message is the first one's. */
export function refuse(violations: Violations): void {
  const fields: { field: string; reason: string }[] = [];
  for (const { field, message } of violations) {
    fields.push({ field, reason: message });
    if (fields.length === shown) break;
  }
  const [first] = fields;
  if (first !== undefined) throw new DomainError('INVALID_REQUEST', first.reason, { fields });
}
