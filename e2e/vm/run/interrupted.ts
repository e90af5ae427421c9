import { UserError } from '../../../image/tools/sentence.ts';

/** Ctrl-C before there was a machine to power off. */
export class Interrupted extends UserError {}
