/** What a call carries along from the HTTP request through every hop, without handing it from function to function. */
import { AsyncLocalStorage } from 'node:async_hooks';

export interface CallContext {
  /** The same in every log line and hop of one request. */
  readonly correlationId: string;
  /** When the caller stops waiting. */
  readonly deadline: Date;
  /** Aborts when the caller gave up or the deadline passed. */
  readonly signal: AbortSignal;
}

const storage = new AsyncLocalStorage<CallContext>();

/** The call that is being handled, if any. */
export function currentCall(): CallContext | undefined {
  return storage.getStore();
}

/** Runs `work` as part of a call. */
export function runInCall<R>(context: CallContext, work: () => R): R {
  return storage.run(context, work);
}
