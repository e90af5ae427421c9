/** `npm run e2e:vm`: scenarios on virtual machines, one after the other. */
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { findArchive } from '../../image/tools/archive.ts';
import { checkHost } from '../../image/tools/host-check.ts';
import { toolsRoot, withScratch } from '../../image/tools/roots.ts';
import { runMain, UserError } from '../../image/tools/sentence.ts';
import { findAccelerator } from './accelerator.ts';
import { imageAt } from './harness/kept-machines.ts';
import { runScenarios } from './harness/run-scenarios.ts';
import type { Scenario } from './harness/scenario.ts';
import type { Accelerator } from './machine.ts';
import { newestImage } from './newest-image.ts';
import { scenariosNamed } from './scenarios/index.ts';

const usage = `npm run e2e:vm [-- NAME… --list --keep --image FILE --accel kvm|tcg]

  NAME                a scenario, a group of them, or the quick part of one (GROUP/quick); all unless given
  --list              tells the scenarios and ends
  --keep              keeps the machines' directories
  --image FILE        the disk image; the one in image/output unless given
  --accel             kvm or tcg; what works unless given
`;

/** For a call that makes no sense. */
const misuse = 2;

interface Order {
  readonly chosen: readonly Scenario[];
  readonly help: boolean;
  readonly list: boolean;
  readonly keep: boolean;
  readonly image: string | undefined;
  readonly accelerator: Accelerator | undefined;
}

await runMain(async () => {
  const order = orderOrNothing();
  if (order === undefined) return;
  if (order.help) {
    process.stdout.write(usage);
    return;
  }
  if (order.list) {
    process.stdout.write(order.chosen.map(({ name, sentence }) => `${name}: ${sentence}\n`).join(''));
    return;
  }
  checkHost();
  const image = imageAt(
    order.image === undefined ? newestImage() : resolve(process.env['INIT_CWD'] ?? '.', order.image),
  );
  const tools = await toolsRoot(findArchive('amd64'));
  const accelerator = order.accelerator ?? (await withScratch((scratch) => findAccelerator(tools, scratch)));
  const host = { tools, accelerator, keys: join(dirname(dirname(image.path)), 'keys') };
  // Each machine ends its two processes when this one ends.
  process.setMaxListeners(0);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
  process.stdout.write(`IncusOS ${image.version} on ${accelerator}\n`);
  const { passed, failed } = await runScenarios(host, image, order.chosen, {
    keep: order.keep,
    artifacts: join(import.meta.dirname, 'artifacts'),
  });
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  if (failed > 0) process.exitCode = 1;
});

/** What was asked for; a call that makes no sense gets a sentence. */
function orderOrNothing(): Order | undefined {
  try {
    return parseOrder(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = misuse;
    return undefined;
  }
}

/** @throws Error that says which argument is wrong. */
function parseOrder(args: readonly string[]): Order {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      list: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      image: { type: 'string' },
      accel: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const { accel, image, ...flags } = values;
  if (accel !== undefined && accel !== 'kvm' && accel !== 'tcg')
    throw new UserError(`there is no accelerator ${accel}; kvm and tcg are.`);
  return { ...flags, image, accelerator: accel, chosen: scenariosNamed(positionals) };
}
