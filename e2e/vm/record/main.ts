/**
 * Records what the programs of a real machine answer, into libs/host-emulated/samples. The machine is one that runs, with
 * drives and cards for the scenes:
 *
 *   npm run vm -- --nic enp6s0 --nic enp7s0 --drive a:1GiB --drive b:1GiB --drive c:1GiB --drive d:1GiB --drive e:1GiB
 *     --drive f:1GiB --drive small:512MiB --drive n:1GiB:nvme --drive u:1GiB:usb --drive v:1GiB:virtio --drive s:1GiB:sata
 *   node e2e/vm/record/main.ts [--dir DIR] [SCENE…]
 *
 * What was on the drives is lost, and the network is left as the last scene needs it: power the machine off afterwards.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { runMain, UserError } from '../../../image/tools/sentence.ts';
import { control } from '../control/client.ts';
import { controlCommands } from '../control/commands.ts';
import type { Description } from '../hardware/description.ts';
import { guestSocket, succeedInGuest } from '../harness/guest.ts';
import { newestImage } from '../newest-image.ts';
import { machineDirectory } from '../run/directory.ts';
import { packageOf } from './packages.ts';
import {
  type DriveOfMachine,
  factsOf,
  prepare,
  readyForRecording,
  record,
  type RecordedMachine,
} from './record.ts';
import type { Scene } from './scene.ts';
import { programsOf, scenes } from './scenes/index.ts';

const samples = join(import.meta.dirname, '../../../libs/host-emulated/samples');
/** Without KVM a program takes seconds. */
const scriptMs = 10 * 60_000;

await runMain(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { dir: { type: 'string' }, image: { type: 'string' } },
  });
  const directory = machineDirectory(values.dir);
  const ask = (name: string, ...args: string[]): Promise<string> => {
    const command = controlCommands.find((one) => one.name === name);
    if (command === undefined) return Promise.reject(new Error(`there is no command ${name}`));
    return control(directory, command, args, {});
  };
  const machine: RecordedMachine = {
    inGuest: (script) => succeedInGuest(join(directory, guestSocket), script, scriptMs),
    plug: async (serial) => {
      await ask('drive add', serial);
    },
    unplug: async (serial) => {
      await ask('drive remove', serial);
    },
  };
  const { drives } = JSON.parse(await ask('show')) as Description;
  const versions = packageVersions(values.image ?? newestImage());
  await readyForRecording(machine);
  for (const scene of chosen(positionals)) {
    await prepare(machine, scene);
    const packages = packagesOf(scene, versions);
    const facts = await factsOf(machine, drives.map(drive), packages);
    const file = join(samples, `${scene.name}.json`);
    const made = await record(machine, scene, facts);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(made, undefined, 1)}\n`);
    process.stdout.write(`${scene.name}: ${scene.about}\n`);
  }
});

function drive({ id, bus, size_bytes: size }: Description['drives'][number]): DriveOfMachine {
  return { serial: id, bus, size };
}

function chosen(names: readonly string[]): readonly Scene[] {
  const unknown = names.find((name) => !scenes.some((scene) => scene.name.startsWith(name)));
  if (unknown !== undefined) {
    const known = scenes.map(({ name }) => name).join(', ');
    throw new UserError(`there is no scene ${unknown}; there are: ${known}.`);
  }
  return scenes.filter(({ name }) => names.length === 0 || names.some((begin) => name.startsWith(begin)));
}

/** From the manifest that lies beside the image. */
function packageVersions(image: string): ReadonlyMap<string, string> {
  const manifest = JSON.parse(readFileSync(image.replace(/\.raw$/u, '.manifest'), 'utf8')) as {
    readonly packages: readonly { readonly name: string; readonly version: string }[];
  };
  return new Map(manifest.packages.map(({ name, version }) => [name, version]));
}

function packagesOf(scene: Scene, versions: ReadonlyMap<string, string>): Record<string, string> {
  const names = programsOf(scene).map((program) => packageOf[program] ?? program);
  return Object.fromEntries(
    [...new Set(names)].toSorted().map((name) => [name, versions.get(name) ?? 'unknown']),
  );
}
