/** Messages of the seed files. */
export * from './generated/incusos/seeds/v1/seeds.ts';
