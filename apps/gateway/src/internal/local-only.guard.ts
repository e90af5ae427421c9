import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { DomainError } from '@incusos/service';
import type { FastifyRequest } from 'fastify';
import { isForwarded } from '../http/request-origin.ts';

/** Lets only those in who came by the local socket without a proxy between. */
@Injectable()
export class LocalOnlyGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (isForwarded(request.raw)) throw new DomainError('FORBIDDEN', 'not authorized');
    return true;
  }
}
