/**
 * What V8 compiled is kept for the next start, where `NODE_COMPILE_CACHE` names a directory. Node writes it only when a
 * process ends in order, and many a machine is just switched off.
 */
import { flushCompileCache } from 'node:module';

/** By then the machine has done what it has to do at its start. */
const delayMs = 60_000;

/** Has the cache written once, a minute from now. It is of no use to keep the process for it. */
export function keepCompiledCode(): void {
  setTimeout(() => flushCompileCache(), delayMs).unref();
}
