import { resolve } from 'node:path';

/** The bundled bench runs from `dist`, one folder deeper than the sources. */
export const checkout = resolve(
  import.meta.dirname,
  import.meta.dirname.includes('/dist/') ? '../../..' : '../..',
);
