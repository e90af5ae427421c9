/** Versioned configuration of one service: atomic commits, migrations, kept history. */
export {
  openState,
  type StateDefinition,
  type StateProblem,
  type PreviousVersion,
  StateStore,
} from './state-store.ts';
export { StateFileError, StateRefusedError, StateWriteError } from './state-error.ts';
