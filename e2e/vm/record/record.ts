/** Has a real machine go through a scene and makes the recording of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type {
  Recording,
  RecordedDrive,
  RecordedStep,
} from '../../../libs/host-emulated/src/samples/recording.ts';
import type { Scene, Step } from './scene.ts';

/** What a recorder needs of a machine. */
export interface RecordedMachine {
  /** Runs a script as root. @returns its output. @throws Error when it fails. */
  inGuest(script: string): Promise<string>;
  plug(serial: string): Promise<void>;
  unplug(serial: string): Promise<void>;
}

export type DriveOfMachine = Omit<RecordedDrive, 'name'>;

interface GuestAnswer {
  readonly steps: readonly Readonly<Record<string, unknown>>[];
  readonly running: Readonly<Record<string, unknown>>;
}

const recorder = '/run/samples/in-guest.ts';
const node = '/usr/bin/node';

/** The facts that every recording begins with. */
export type Facts = Omit<Recording, 'about' | 'steps'>;

export async function readyForRecording(machine: RecordedMachine): Promise<void> {
  const program = readFileSync(join(import.meta.dirname, 'in-guest.ts'), 'base64');
  await machine.inGuest(`mkdir -p /run/samples && echo ${program} | base64 -d >${recorder}`);
}

/** A card on a line: its name, and the address that it was made with. */
const listCards = [
  'for link in /sys/class/net/*; do',
  '  [ -e $link/device ] || continue',
  '  line=$(ip -o link show dev $(basename $link))',
  '  mac=$(echo "$line" | sed -n "s/.* permaddr \\([0-9a-f:]*\\).*/\\1/p")',
  '  echo "$(cat $link/ifindex) $(basename $link) ${mac:-$(cat $link/address)}"',
  'done | sort -n',
].join('\n');
const listLinks =
  'for link in /dev/disk/by-id/*; do echo "$(basename "$link") $(basename "$(realpath "$link")")"; done';

/** @param packages versions of the Debian packages that the scene's programs are from. */
export async function factsOf(
  machine: RecordedMachine,
  drives: readonly DriveOfMachine[],
  packages: Readonly<Record<string, string>>,
): Promise<Facts> {
  const lines = async (script: string): Promise<string[]> =>
    (await machine.inGuest(script)).split('\n').filter((line) => line !== '');
  const [image = '', kernel = ''] = await lines('. /etc/os-release; echo $IMAGE_VERSION; uname -r');
  const links = new Map((await lines(listLinks)).map((line) => line.split(' ') as [string, string]));
  const cards = await lines(listCards);
  return {
    recorded: { image, kernel, packages },
    drives: drives.map((drive) => ({ ...drive, ...asSeen(links, drive) })),
    cards: cards.map((line) => {
      const [, name = '', mac = ''] = line.split(' ');
      return { name, mac };
    }),
  };
}

/** What the guest calls a drive. */
function asSeen(
  links: ReadonlyMap<string, string>,
  { serial, wwn }: DriveOfMachine,
): Pick<RecordedDrive, 'name' | 'wwn'> {
  // On SCSI a drive with a world wide name goes by that.
  const names = [`_${serial}`, `_${serial}-0:0`, `-${serial}`, ...(wwn === undefined ? [] : [`wwn-${wwn}`])];
  for (const [link, name] of links)
    if (names.some((ending) => link.endsWith(ending))) return wwn === undefined ? { name } : { name, wwn };
  throw new Error(`the guest has no drive ${serial}`);
}

/** Brings the machine into the state that a scene begins with. */
export async function prepare(machine: RecordedMachine, { prepare: script }: Scene): Promise<void> {
  if (script !== undefined) await machine.inGuest(`{\n${script}\n} 2>&1 || :`);
}

/** @throws Error when a step could not be taken; that a program fails is an answer. */
export async function record(machine: RecordedMachine, scene: Scene, facts: Facts): Promise<Recording> {
  const steps: RecordedStep[] = [];
  let running: Readonly<Record<string, unknown>> = {};
  const waiting: Step[] = [];
  const flush = async (): Promise<void> => {
    if (waiting.length === 0) return;
    const request = JSON.stringify({ steps: waiting.splice(0), running });
    const script = `echo ${Buffer.from(request).toString('base64')} | base64 -d | ${node} ${recorder}`;
    const answer = JSON.parse(await machine.inGuest(script)) as GuestAnswer;
    running = answer.running;
    steps.push(...answer.steps.map(lined));
  };
  for (const step of named(scene.steps, facts)) {
    if ('plug' in step || 'unplug' in step) {
      await flush();
      await ('plug' in step ? machine.plug(step.plug) : machine.unplug(step.unplug));
      steps.push(step);
    } else waiting.push(step);
  }
  await flush();
  if (scene.cleanUp !== undefined) await machine.inGuest(`exec 2>&1\n${scene.cleanUp}`);
  return { about: scene.about, ...facts, steps };
}

/** Puts names and addresses of the machine's hardware in the places that scenes leave for them. */
function named(steps: readonly Step[], { drives, cards }: Facts): readonly Step[] {
  const value = (what: string, which: string): string | undefined => {
    if (what === 'node') return drives.find(({ serial }) => serial === which)?.name;
    const card = cards[Number(which)];
    if (what === 'card') return card?.name;
    return what === 'mac' ? card?.mac : card?.mac.replaceAll(':', '');
  };
  const place = /\{(?<what>node|card|mac|compact):(?<which>\w+)\}/gu;
  const text = JSON.stringify(steps).replaceAll(place, (_place, what: string, which: string) => {
    const found = value(what, which);
    if (found === undefined) throw new Error(`the machine has no ${what} ${which}`);
    return found;
  });
  return JSON.parse(text) as Step[];
}

/** Text becomes lines, which a person can read and compare. */
function lined({ text, stdout, stderr, ...step }: Readonly<Record<string, unknown>>): RecordedStep {
  const lines = (value: unknown): readonly string[] => String(value).split('\n');
  return {
    ...step,
    ...(text === undefined ? {} : 'read' in step ? { lines: lines(text) } : { text }),
    ...(stdout === undefined ? {} : { stdout: lines(stdout) }),
    ...(stderr === undefined ? {} : { stderr: lines(stderr) }),
  } as RecordedStep;
}
