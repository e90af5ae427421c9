import { emptyOf, restJson, type Structure } from '@incusos/contracts/rest';
import { success } from './envelope.ts';

/** A successful reply whose metadata is a message. */
export function answer<T extends object>(structure: Structure<T>, message: T | undefined): string {
  return success(restJson(structure, message ?? emptyOf(structure)));
}
