/** Messages of the image customizer. */
export * from './generated/incusos/customizer/v1/customizer.ts';
