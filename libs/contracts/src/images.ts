/** Messages of the image feed. */
export * from './generated/incusos/images/v1/images.ts';
