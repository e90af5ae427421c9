/** A handler's parameter that is the request's JSON body, checked and converted to its message. */
import { Body, BadRequestException, type PipeTransform } from '@nestjs/common';
import { type Body as BodyRules, validateBody } from '@incusos/contracts/dto';
import { JsonError, parseRestJson } from '@incusos/contracts/rest';
import { DomainError } from '@incusos/service';

/** Arrays and objects within each other; the deepest body of the API has 8. */
const maxDepth = 32;

class JsonBodyPipe<T extends object> implements PipeTransform<unknown, T> {
  constructor(
    private readonly rules: BodyRules<T>,
    private readonly mayBeEmpty: boolean,
  ) {}

  transform(text: unknown): T {
    return checkBody(this.rules, parseBody(text, this.mayBeEmpty));
  }
}

/** The parsed JSON of a body; an empty one is an empty object where it may be. */
export function parseBody(text: unknown, mayBeEmpty: boolean): unknown {
  if (typeof text !== 'string' || text.trim() === '') {
    if (mayBeEmpty) return {};
    throw new BadRequestException('the request body is empty; a JSON object is expected');
  }
  try {
    return parseRestJson(text, { maxDepth });
  } catch (error) {
    if (error instanceof JsonError) throw new BadRequestException(error.message);
    throw error;
  }
}

/** The message that a parsed body stands for. */
export function checkBody<T extends object>(rules: BodyRules<T>, value: unknown): T {
  const result = validateBody(rules, value);
  if (result.valid) return result.message;
  const { violations } = result;
  throw new DomainError('INVALID_REQUEST', violations.map(({ text }) => text).join('; '), {
    fields: violations,
  });
}

/** A body that has to be there. */
export function RequiredBody<T extends object>(rules: BodyRules<T>): ParameterDecorator {
  return Body(new JsonBodyPipe(rules, false));
}

/** A body that may be left out, which is as good as `{}`. */
export function OptionalBody<T extends object>(rules: BodyRules<T>): ParameterDecorator {
  return Body(new JsonBodyPipe(rules, true));
}
