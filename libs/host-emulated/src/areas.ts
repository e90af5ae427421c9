/** What the emulated machine is made of. An area brings its programs and the files that the kernel would show. */
import { faults } from './faults/area.ts';
import { network } from './network/area.ts';
import { security } from './security/area.ts';
import { storage } from './storage/area.ts';
import { systemArea } from './system/area.ts';
import { update } from './update/area.ts';
import type { Area } from './area.ts';

export const areas: readonly Area[] = [systemArea(() => areas), network, storage, security, update, faults];
