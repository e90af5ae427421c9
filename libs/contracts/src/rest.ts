/**
 * REST JSON: writing and reading messages as the API's structures.
 *
 * The structures themselves are in `@incusos/contracts/rest/<subsystem>`, each under its message's name.
 */
export { restJson } from './rest/encode.ts';
export { emptyOf, FieldError, fromRest, type DecodeOptions } from './rest/decode.ts';
export { JsonError, parseRestJson, type ParseLimits } from './rest/parse.ts';
export { DurationError, parseDuration } from './rest/duration.ts';
export { Structure, ZERO_TIME, type Field } from './rest/structure.ts';
