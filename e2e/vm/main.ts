/** `npm run vm`: the image in a virtual machine with Secure Boot and a TPM, in the foreground, until Ctrl-C. */
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join, relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { findArchive } from '../../image/tools/archive.ts';
import { checkHost } from '../../image/tools/host-check.ts';
import { toolsRoot, withScratch } from '../../image/tools/roots.ts';
import { runMain, say, UserError } from '../../image/tools/sentence.ts';
import { findAccelerator } from './accelerator.ts';
import {
  type ApiAnswer,
  ask,
  type Client,
  ensureClient,
  seedOf,
  writeClientConfiguration,
} from './client.ts';
import { addConsole } from './console-addon.ts';
import { Disk } from './harness/disk.ts';
import { type Accelerator, Machine } from './machine.ts';
import { newestImage } from './newest-image.ts';
import { writeSeed } from './seed-partition.ts';

const usage = `npm run vm [-- --dir DIR --port 9443 --image FILE --accel kvm|tcg --memory MiB --credential NAME=FILE]

  --dir DIR               the machine's disk, firmware variables and TPM; .incusos/vm unless given
  --port PORT             of this computer, for the API; 9443 unless given
  --image FILE            the disk image of a new machine; the one in image/output unless given
  --accel ACCELERATOR     kvm or tcg; what works unless given
  --memory MiB            4096 unless given
  --credential NAME=FILE  a systemd credential for the machine; a file of DIR
`;

const top = join(import.meta.dirname, '../..');
/** First boots without KVM on a busy computer take minutes. */
const patienceMs = 15 * 60_000;

await runMain(async () => {
  const { values } = parseArgs({
    options: {
      dir: { type: 'string' },
      port: { type: 'string' },
      image: { type: 'string' },
      accel: { type: 'string' },
      memory: { type: 'string' },
      credential: { type: 'string', multiple: true },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    process.stdout.write(usage);
    return;
  }
  checkHost();
  const directory = values.dir === undefined ? join(top, '.incusos/vm') : fromHere(values.dir);
  const port = portOf(values.port ?? '9443');
  await ensurePortFree(port);
  mkdirSync(directory, { recursive: true });
  const tools = await toolsRoot(findArchive('amd64'));
  const accelerator =
    values.accel === undefined
      ? await withScratch((scratch) => findAccelerator(tools, scratch))
      : acceleratorOf(values.accel);
  const machine = new Machine({
    tools,
    directory,
    port,
    accelerator,
    memory: Number(values.memory ?? '4096'),
    credentials: Object.fromEntries((values.credential ?? []).map(credentialOf)),
  });
  const client = await ensureClient(tools, machine.path('incus'));
  if (!machine.exists) {
    const image = values.image === undefined ? newestImage() : fromHere(values.image);
    say(`making a machine from ${relative(process.cwd(), image)} …`);
    machine.create(image);
    await writeSeed(machine.path('disk.raw'), seedOf(client));
    await addConsole(tools, directory, join(dirname(dirname(image)), 'keys'));
    await new Disk(tools, machine.path('disk.raw')).layer();
  }
  await run(machine, client, port, accelerator);
});

async function run(machine: Machine, client: Client, port: number, accelerator: Accelerator): Promise<void> {
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  say(`booting (${accelerator}); the serial console is in ${machine.path('serial.log')}`);
  machine.start();
  (await machine.control()).close();
  try {
    const answer = await waitForApi(machine, client, port, stopping.signal);
    if (answer !== undefined) {
      writeClientConfiguration(machine.path('incus'), port, answer.server);
      process.stdout.write(welcome(machine.path('incus'), port));
    }
    while (machine.isRunning() && !stopping.signal.aborted) await sleep(200);
  } finally {
    if (machine.isRunning()) say('powering off …');
    await machine.powerOff();
    say('off');
  }
}

/** The first answer of the API; none when it was told to stop. */
async function waitForApi(
  machine: Machine,
  client: Client,
  port: number,
  signal: AbortSignal,
): Promise<ApiAnswer | undefined> {
  const end = Date.now() + patienceMs;
  let refused = '';
  while (!signal.aborted) {
    if (!machine.isRunning())
      throw new UserError(`the machine is off; its console is in ${machine.path('serial.log')}`);
    if (Date.now() > end)
      throw new UserError(
        `no API after ${patienceMs / 60_000} minutes${refused}; the console is in ${machine.path('serial.log')}`,
      );
    const answer = await ask(port, '/os/1.0', client).catch(() => undefined);
    if (answer?.status === 200) return answer;
    if (answer !== undefined) refused = `, but an answer: ${answer.body.trim()}`;
    await sleep(500);
  }
  return undefined;
}

function welcome(configuration: string, port: number): string {
  const shown = relative(process.env['INIT_CWD'] ?? process.cwd(), configuration);
  return [
    '',
    'IncusOS is ready on the virtual machine',
    '',
    `  API  https://127.0.0.1:${port}/os/1.0`,
    '',
    '  With the official client:',
    `    INCUS_CONF=${shown.startsWith('..') ? configuration : shown} incus admin os show`,
    '',
    '  Ctrl-C powers off.',
    '',
    '',
  ].join('\n');
}

function fromHere(path: string): string {
  return resolve(process.env['INIT_CWD'] ?? '.', path);
}

function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new UserError(`the port ${text} is no number from 1 to 65535.`);
  return port;
}

function acceleratorOf(text: string): Accelerator {
  if (text === 'kvm' || text === 'tcg') return text;
  throw new UserError(`there is no accelerator ${text}; kvm and tcg are.`);
}

function credentialOf(text: string): [string, string] {
  const [name = '', file = ''] = text.split('=');
  if (name === '' || file === '') throw new UserError(`the credential ${text} is not of the form NAME=FILE.`);
  return [name, file];
}

async function ensurePortFree(port: number): Promise<void> {
  await new Promise<void>((resolveFree, reject) => {
    const probe = createServer();
    probe.once('error', () => reject(new UserError(`port ${port} is in use; choose another --port.`)));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolveFree()));
  });
}
