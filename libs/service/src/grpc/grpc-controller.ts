import { Injectable } from '@nestjs/common';
import type { ServiceShape } from './types.ts';

type Constructor = abstract new (...args: never[]) => unknown;

const definitions = new WeakMap<Constructor, ServiceShape>();

/**
 * Marks the class that answers a gRPC service: `@GrpcController(NetworkServiceService)`. Listed among the
 * `providers` of a module; its methods have the names of the definition.
 */
export function GrpcController(definition: ServiceShape): ClassDecorator {
  return (target) => {
    definitions.set(target as unknown as Constructor, definition);
    Injectable()(target);
  };
}

/** The service that a class answers, if it does. */
export function definitionOf(constructor: unknown): ServiceShape | undefined {
  return typeof constructor === 'function' ? definitions.get(constructor as Constructor) : undefined;
}
