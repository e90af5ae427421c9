/** The body of `POST /1.0/system/:recover-state`. */
import type { Body } from '@incusos/contracts/dto';
import { Structure } from '@incusos/contracts/rest';

/** Which service goes on with what. */
export interface RecoverState {
  /** Its name, such as `network`. */
  readonly service: string;
  /** `previous` or `initial`. */
  readonly use: string;
}

/** The structure says all there is to say of the types. */
class RecoverStateDto {}

export const recoverState: Body<RecoverState> = {
  dto: RecoverStateDto,
  structure: new Structure<RecoverState>('RecoverState', () => [
    ['service', 'string', 'one', 'zero'],
    ['use', 'string', 'one', 'zero'],
  ]),
  rules: [
    ({ service }) => (service === '' ? { field: 'service', text: 'no service provided' } : undefined),
    ({ use }) =>
      use === 'previous' || use === 'initial'
        ? undefined
        : { field: 'use', text: "use must be 'previous' or 'initial'" },
  ],
};
