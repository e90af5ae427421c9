/** What a machine is told before its first boot: where seeds are found and what they say. */
export { SeedError } from './seed-error.ts';
export type { SeedMessages, SeedName } from './seed-names.ts';
export { openSeeds, type Seeds } from './seeds.ts';
