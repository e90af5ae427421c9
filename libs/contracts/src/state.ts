/** The contract of every service that owns state. */
export * from './generated/incusos/state/v1/state_owner.ts';
