/**
 * Turns whatever a request ended with into the envelope: our errors by their reason, HTTP's own by their status, and
 * everything else as a 500 that tells nothing but the id under which the log has it.
 */
import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  Inject,
  NotFoundException,
} from '@nestjs/common';
import { detailOf, DomainError, httpStatus, LOGGER, type Logger, reasonOf } from '@incusos/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isEndpointPath } from '../endpoints/endpoint-table.ts';
import { failure } from './envelope.ts';

interface Failure {
  readonly status: number;
  readonly message: string;
}

@Catch()
export class EnvelopeFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    if (reply.sent) {
      this.logger.warn('a reply broke off', { path: pathOf(request), error: reasonOf(error) });
      return;
    }
    const { status, message } = this.explain(error, request);
    if (status === 408) reply.header('connection', 'close');
    void reply.code(status).header('content-type', 'application/json').send(failure(status, message));
  }

  /** The status and sentence for an error. */
  explain(error: unknown, request: FastifyRequest): Failure {
    if (error instanceof DomainError) return { status: httpStatus(error.reason), message: error.message };
    if (error instanceof NotFoundException && request.is404) return unknownRoute(request);
    if (error instanceof HttpException) return { status: error.getStatus(), message: error.message };
    const status = frameworkStatus(error);
    if (status !== undefined) return { status, message: reasonOf(error) };
    this.logger.error('a request failed unexpectedly', {
      method: request.method,
      path: pathOf(request),
      error: detailOf(error),
    });
    return {
      status: 500,
      message: `an internal error occurred; the log has the details under ${request.id}`,
    };
  }
}

/** The API has no 405: what an endpoint can't do is not implemented, and so is doing anything to what isn't there. */
function unknownRoute(request: FastifyRequest): Failure {
  const isRead = request.method === 'GET' && !isEndpointPath(pathOf(request));
  return isRead ? { status: 404, message: 'not found' } : { status: 501, message: 'not implemented' };
}

/** The log tells of no query. */
function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '';
}

/** Fastify's own refusals say in their status that they are the client's mistake. */
function frameworkStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error) || !('code' in error)) return undefined;
  const { statusCode, code } = error;
  const known = typeof code === 'string' && code.startsWith('FST_') && typeof statusCode === 'number';
  return known && statusCode >= 400 && statusCode < 500 ? statusCode : undefined;
}
