/** The image that `npm run image` made last. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../image/tools/sentence.ts';

const top = join(import.meta.dirname, '../..');

/** The disk image in `image/output`. @throws UserError when there is none. */
export function newestImage(): string {
  const output = join(top, 'image/output');
  const images = existsSync(output)
    ? readdirSync(output).filter((name) => /^IncusOS_\d+\.raw$/u.test(name))
    : [];
  const newest = images.toSorted().at(-1);
  if (newest === undefined) throw new UserError('there is no image; npm run image makes one.');
  return join(output, newest);
}
