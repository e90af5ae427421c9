/** How a service's state takes part in backup, restore and factory reset. */
export { provideStateOwner, type StateOwnerOptions } from './provide-state-owner.ts';
export type { ImportContext, SecretFiles, StateOwnerHooks } from './state-owner-options.ts';
export { commitState } from './commit-state.ts';
export { stateFailure } from './state-failure.ts';
