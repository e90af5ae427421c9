/**
 * Brings the machine from whatever it has to a configuration, in the order that the devices need.
 *
 * Invariants: only what differs is touched; files that are the same keep their place and time, so networkd leaves their
 * links alone; it can be repeated, and going back is the same as going forward.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SystemNetworkConfig } from '@incusos/contracts/network';
import type { Host } from '@incusos/host';
import { reasonOf } from '@incusos/service';
import { cardMacs } from '../config/hardware-addresses.ts';
import { hostNameOf, setHostName, writeHosts } from '../hostname/hostname.ts';
import { physicalName } from '../render/device-names.ts';
import type { CardLimits } from '../render/mtu.ts';
import { networkDirectory, renderFiles } from '../render/render.ts';
import { cardsOf, type NetworkCard } from '../state/ip.ts';
import { readLinks } from '../state/readings.ts';
import { setTimeZone, writeTimeServers } from '../time/clock.ts';
import { linksBeside, releaseCards, removeStaleDevices } from './devices.ts';
import { waitUntilOnline } from './online.ts';
import { isEmpty, type Plan, planChange } from './plan.ts';
import type { Change, Step } from './step.ts';

export interface ApplyOptions {
  /** Until when the network has to be up, on the clock of `performance.now()`; not waited for when absent. */
  readonly onlineBy?: number | undefined;
}

/** A step of a change that failed; its text is that of the cause. */
export class StepError extends Error {
  override readonly name = 'StepError';

  constructor(
    readonly step: string,
    cause: unknown,
  ) {
    super(reasonOf(cause), { cause });
  }
}

/** Is there from before the first file is changed until networkd has read them all. */
const unreadMarker = '/run/incus-os/network.unread';
/** A machine that boots has much else to do. */
const cardPatienceMs = 30_000;
const cardPollMs = 100;

export async function readCards(host: Host): Promise<NetworkCard[]> {
  return cardsOf(await readLinks(host));
}

export function limitsOf(cards: readonly NetworkCard[]): CardLimits {
  return new Map(cards.map(({ mac, maxMtu }) => [mac, maxMtu]));
}

/** Everything that a change does, in the order that the devices need. */
export const steps: readonly Step[] = [
  { name: 'set the time zone', run: ({ host, config }) => setTimeZone(host, config) },
  { name: 'remove devices that are no longer wanted', run: removeDevices },
  {
    name: 'set the host name',
    run: async ({ host, config }) => setHostName(host, await hostNameOf(host, config)),
  },
  { name: 'write the files of the devices', run: ({ host, plan }) => writePlan(host, plan) },
  { name: 'write the time servers', run: ({ host, config }) => writeTimeServers(host, config) },
  {
    name: 'write the host names',
    run: async ({ host, config }) => writeHosts(host, await hostNameOf(host, config)),
  },
  {
    name: 'rename the network cards',
    run: ({ host, config, plan, unread }) => renameCards(host, unread ? undefined : plan.cards, config),
  },
  { name: 'reload the network', run: reload },
  { name: 'bring the network online', run: waitForNetwork },
];

/**
 * Applies a configuration that is valid and whose cards are given by MAC.
 * @throws StepError, whose cause says why the machine did not do as it was told; MtuError before anything was touched.
 */
export async function applyConfig(
  host: Host,
  config: SystemNetworkConfig,
  options: ApplyOptions = {},
): Promise<Plan> {
  const [links, present, unread] = await Promise.all([
    readLinks(host),
    readFiles(host),
    host.files.exists(unreadMarker),
  ]);
  const plan = planChange(present, renderFiles(config, limitsOf(cardsOf(links))));
  const { onlineBy } = options;
  const change: Change = { host, config, links, plan, unread, remade: new Set(), onlineBy };
  if (!isEmpty(plan)) await host.files.writeAtomic(unreadMarker, '');
  for (const step of steps) {
    await step.run(change).catch((error: unknown) => {
      throw new StepError(step.name, error);
    });
  }
  return plan;
}

async function removeDevices({ host, config, links, plan, remade }: Change): Promise<void> {
  for (const name of await removeStaleDevices(host, plan.staleDevices, links)) remade.add(name);
  await releaseCards(host, config);
}

async function reload({ host, config, plan, unread, remade }: Change): Promise<void> {
  if (!unread && isEmpty(plan)) return;
  await reloadNetworkd(host, linksBeside(config, unread ? undefined : remade));
  await host.files.remove(unreadMarker);
}

async function waitForNetwork({ host, config, onlineBy }: Change): Promise<void> {
  if (onlineBy !== undefined) await waitUntilOnline(host, config, onlineBy);
}

async function readFiles(host: Host): Promise<Map<string, string>> {
  const names = await host.files.list(networkDirectory);
  const read = names.map(
    async (name) => [name, await host.files.readText(`${networkDirectory}/${name}`)] as const,
  );
  return new Map(await Promise.all(read));
}

async function writePlan(host: Host, { write, remove }: Plan): Promise<void> {
  for (const name of remove) await host.files.remove(`${networkDirectory}/${name}`);
  for (const [name, content] of write) await host.files.writeAtomic(`${networkDirectory}/${name}`, content);
}

/**
 * udev gives a card its name; the devices over it can only be made once the name that they want is free.
 * @param cards those with a changed file; all unless given.
 */
async function renameCards(
  host: Host,
  cards: readonly string[] | undefined,
  config: SystemNetworkConfig,
): Promise<void> {
  const wanted = cardMacs(config);
  const changed = new Set((cards ?? wanted).map((mac) => mac.toLowerCase()));
  const deadline = Date.now() + cardPatienceMs;
  for (let first = true; ; first = false) {
    const present = await readCards(host);
    const unnamed = present.filter(({ name, mac }) => wanted.includes(mac) && name !== physicalName(mac));
    const again = first ? present.filter((card) => changed.has(card.mac) || unnamed.includes(card)) : unnamed;
    if (again.length === 0) return;
    if (!first && Date.now() > deadline) {
      throw new Error(
        `timed out waiting for network device ${again.map(({ name }) => name).join(', ')} to be renamed`,
      );
    }
    // By itself udev looks for changed files only every few seconds.
    if (first) await host.programs.run(['udevadm', 'control', '--reload']);
    const matches = again.map(({ name }) => `--sysname-match=${name}`);
    await host.programs.run([
      'udevadm',
      'trigger',
      '--action=add',
      '--subsystem-match=net',
      '--settle',
      ...matches,
    ]);
    if (!first) await sleep(cardPollMs);
  }
}

/**
 * networkd makes new devices and configures the links whose file changed; others go on undisturbed.
 * @param beside links to configure although their file is the same.
 */
async function reloadNetworkd(host: Host, beside: readonly string[]): Promise<void> {
  const active = await host.programs.run(['systemctl', 'is-active', 'systemd-networkd.service'], {
    acceptExitCodes: 'any',
  });
  if (active.stdout.trim() !== 'active') {
    await host.programs.run(['systemctl', 'restart', 'systemd-networkd.service']);
    return;
  }
  await host.programs.run(['networkctl', 'reload']);
  const present = new Set((await readLinks(host)).map(({ name }) => name));
  const links = beside.filter((name) => present.has(name));
  if (links.length > 0) await host.programs.run(['networkctl', 'reconfigure', ...links]);
}
