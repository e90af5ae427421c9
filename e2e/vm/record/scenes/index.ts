/** Every scene that is recorded. */
import type { Scene } from '../scene.ts';
import { driveScenes } from './drives.ts';
import { networkScenes } from './network.ts';
import { poolScenes } from './pools.ts';
import { securityScenes } from './security.ts';
import { systemScenes } from './system.ts';

export const scenes: readonly Scene[] = [
  ...driveScenes,
  ...poolScenes,
  ...securityScenes,
  ...systemScenes,
  // The network last: its names and routes are the hardest to put back.
  ...networkScenes,
];

/** The programs that a scene runs. */
export function programsOf({ steps }: Scene): string[] {
  const argvs = steps.flatMap((step) => ('run' in step ? [step.run] : 'start' in step ? [step.start] : []));
  return [...new Set(argvs.map(([program]) => program))].toSorted();
}
