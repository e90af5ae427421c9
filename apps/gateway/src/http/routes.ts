/** The routes of the API. A literal colon in a path is written twice, as the router wants it. */
import { applyDecorators, HttpCode, Post } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { BodyOptions } from './request-body.ts';

/** `POST` that answers 200. */
export function Action(path: string): MethodDecorator {
  return applyDecorators(Post(path), HttpCode(200));
}

/** `POST` of bytes that the handler gets as a stream. */
export function Upload(path: string): MethodDecorator {
  return applyDecorators(Action(path), RouteConfig({ body: 'stream' } satisfies BodyOptions));
}
