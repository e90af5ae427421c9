/**
 * Request bodies of the REST API and how they are validated.
 *
 * Loads class-validator: only what faces clients imports this.
 */
export * as bodies from './dto/bodies.ts';
export { validateBody, type Body, type Rule, type Validated, type Violation } from './dto/validate.ts';
