/** `node e2e/vm/harness/guest-command.ts DIR [SCRIPT]`: runs a script in the guest of the machine in DIR. */
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { runMain, UserError } from '../../../image/tools/sentence.ts';
import { guestSocket, runInGuest } from './guest.ts';

const limitMs = 10 * 60_000;

await runMain(async () => {
  const [directory, script] = process.argv.slice(2);
  if (directory === undefined)
    throw new UserError(
      'usage: guest-command.ts DIR [SCRIPT]; without SCRIPT it is read from standard input.',
    );
  const answer = await runInGuest(
    join(directory, guestSocket),
    script ?? (await text(process.stdin)),
    limitMs,
  ).catch((error: unknown) => {
    throw new UserError(`${directory}: ${error instanceof Error ? error.message : String(error)}`);
  });
  process.stdout.write(answer.output);
  process.exitCode = answer.code;
});
