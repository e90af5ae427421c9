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
import { applyOverTls, overTlsFiles } from '../dns/over-tls.ts';
import { setEnergySaving } from '../hardware/energy.ts';
import { checkFirewall, loadFirewall } from '../firewall/load.ts';
import { hostNameOf, hostsFile, setHostName, writeHosts } from '../hostname/hostname.ts';
import { applyProxy, proxyFiles } from '../proxy/local-proxy.ts';
import { physicalName } from '../render/device-names.ts';
import type { CardLimits } from '../render/mtu.ts';
import { networkDirectory, renderFiles } from '../render/render.ts';
import { cardsOf, type NetworkCard } from '../state/ip.ts';
import { writeOptionsOf } from '../render/secret-files.ts';
import { readLinks } from '../state/readings.ts';
import { setTimeZone, timeServersFile, timeServersOf, writeTimeServers } from '../time/clock.ts';
import { linksBeside, releaseCards, removeStaleDevices } from './devices.ts';
import { NotOnlineError, waitUntilOnline } from './online.ts';
import { isEmpty, matchedLink, type Plan, planChange } from './plan.ts';
import type { Change, Patience, Step } from './step.ts';

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
const networkd = 'systemd-networkd.service';
/** Of a program that is given no other. */
const usualTimeoutMs = 30_000;

export async function readCards(host: Host): Promise<NetworkCard[]> {
  return cardsOf(await readLinks(host));
}

export function limitsOf(cards: readonly NetworkCard[]): CardLimits {
  return new Map(cards.map(({ mac, maxMtu }) => [mac, maxMtu]));
}

/** Everything that a change does, in the order that the devices need. */
export const steps: readonly Step[] = [
  // Before any address: there is no moment in which something can be reached that a rule keeps out.
  {
    name: 'load the firewall rules',
    guards: true,
    check: ({ host, config }) => checkFirewall(host, config),
    run: ({ host, config }) => loadFirewall(host, config),
  },
  { name: 'set the time zone', run: ({ host, config }) => setTimeZone(host, config) },
  { name: 'remove devices that are no longer wanted', run: removeDevices },
  {
    name: 'set the host name',
    run: async ({ host, config }) => setHostName(host, await hostNameOf(host, config)),
  },
  { name: 'write the files of the devices', run: ({ host, plan }) => writePlan(host, plan) },
  {
    name: 'write the time servers',
    files: ({ config }) => Promise.resolve(new Map([[timeServersFile, timeServersOf(config)]])),
    run: ({ host, config }) => writeTimeServers(host, config),
  },
  {
    name: 'write the host names',
    files: async ({ host, config }) => new Map([['/etc/hosts', hostsFile(await hostNameOf(host, config))]]),
    run: async ({ host, config }) => writeHosts(host, await hostNameOf(host, config)),
  },
  {
    name: 'rename the network cards',
    run: ({ host, config, plan, unread }) => renameCards(host, unread ? undefined : plan.cards, config),
  },
  {
    name: 'set the energy saving of the network cards',
    run: ({ host, config }) => setEnergySaving(host, config),
  },
  {
    name: 'tell the resolver about DNS over TLS',
    files: async ({ config }) => overTlsFiles(config),
    run: ({ host, config }) => applyOverTls(host, config),
  },
  { name: 'reload the network', run: reload },
  {
    name: 'set up the proxy',
    files: async ({ config }) => proxyFiles(config),
    run: ({ host, config }) => applyProxy(host, config),
  },
  { name: 'bring the network online', run: waitForNetwork, onlyAfterSuccess: true },
];

/** A change that would bring the machine to a configuration, with nothing done yet. */
export interface PlannedChange extends Change {
  /** networkd's and udev's files as they are, by name. */
  readonly present: ReadonlyMap<string, string>;
}

/**
 * Works out what has to change; changes nothing.
 * @param config valid, with its cards given by MAC.
 * @throws MtuError when a card takes too little; ProgramError when the machine can't be asked.
 */
export async function prepareChange(
  host: Host,
  config: SystemNetworkConfig,
  patience: Patience = {},
): Promise<PlannedChange> {
  const [links, present, unread] = await Promise.all([
    readLinks(host),
    readFiles(host),
    host.files.exists(unreadMarker),
  ]);
  const files = renderFiles(config, limitsOf(cardsOf(links)));
  const plan = planChange(present, files);
  return { host, config, links, present, files, plan, unread, remade: new Set(), patience };
}

/**
 * Applies a configuration that is valid and whose cards are given by MAC.
 * @throws StepError, whose cause says why the machine did not do as it was told; MtuError before anything was touched.
 */
export async function applyConfig(
  host: Host,
  config: SystemNetworkConfig,
  patience: Patience = {},
): Promise<void> {
  const { deadline, persevere = false, unguarded = false } = patience;
  const change = await prepareChange(hurriedHost(host, deadline), config, patience);
  if (!isEmpty(change.plan)) await host.files.writeAtomic(unreadMarker, '');
  let failure: StepError | undefined;
  for (const { name, run, onlyAfterSuccess = false, guards = false } of steps) {
    if (failure !== undefined && (!persevere || onlyAfterSuccess)) break;
    try {
      if (deadline !== undefined && performance.now() > deadline)
        throw new NotOnlineError('timed out before the network was set up');
      await run(change);
    } catch (error) {
      failure ??= new StepError(name, error);
      if (guards && !unguarded) break;
    }
  }
  if (failure !== undefined) throw failure;
}

/**
 * Asks the machine whether it would take a change.
 * @throws StepError when it wouldn't.
 */
export async function checkChange(change: Change): Promise<void> {
  for (const { name, check } of steps) {
    await check?.(change).catch((error: unknown) => {
      throw new StepError(name, error);
    });
  }
}

/** A host whose programs get no more time than there is. */
function hurriedHost(host: Host, deadline: number | undefined): Host {
  if (deadline === undefined) return host;
  const { files, programs } = host;
  const run: Host['programs']['run'] = (argv, options = {}) => {
    const left = Math.max(1, Math.ceil(deadline - performance.now()));
    return programs.run(argv, { ...options, timeoutMs: Math.min(options.timeoutMs ?? usualTimeoutMs, left) });
  };
  return { files, programs: { run, stream: (argv, options) => programs.stream(argv, options) } };
}

async function removeDevices({ host, config, links, plan, remade }: Change): Promise<void> {
  for (const name of await removeStaleDevices(host, plan.staleDevices, links)) remade.add(name);
  await releaseCards(host, config);
}

/**
 * networkd makes new devices and configures the links whose file was written; others go on undisturbed. A reload keeps
 * of each link what stays the same, which `networkctl reconfigure` does not.
 */
async function reload({ host, config, files, plan, unread, remade }: Change): Promise<void> {
  if (!unread && isEmpty(plan)) return;
  const { stdout } = await host.programs.run(['systemctl', 'is-active', networkd], {
    acceptExitCodes: 'any',
  });
  if (stdout.trim() === 'active') {
    // Links that have to join a device which was made anew are looked at again when their file is another one.
    const beside = new Set(linksBeside(config, unread ? undefined : remade));
    for (const [name, content] of files) {
      const again = beside.has(matchedLink(content)) && !plan.write.has(name);
      if (again) await host.files.writeAtomic(`${networkDirectory}/${name}`, content);
    }
    await host.programs.run(['networkctl', 'reload']);
  } else {
    await host.programs.run(['systemctl', 'restart', networkd]);
  }
  await host.files.remove(unreadMarker);
}

async function waitForNetwork({ host, config, patience: { onlineMs, deadline } }: Change): Promise<void> {
  if (onlineMs === undefined) return;
  await waitUntilOnline(host, config, Math.min(performance.now() + onlineMs, deadline ?? Infinity));
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
  for (const [name, content] of write)
    await host.files.writeAtomic(`${networkDirectory}/${name}`, content, writeOptionsOf(name, content));
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
  const deadline = performance.now() + cardPatienceMs;
  for (let first = true; ; first = false) {
    const present = await readCards(host);
    const unnamed = present.filter(({ name, mac }) => wanted.includes(mac) && name !== physicalName(mac));
    const again = first ? present.filter((card) => changed.has(card.mac) || unnamed.includes(card)) : unnamed;
    if (again.length === 0) return;
    if (!first && performance.now() > deadline) {
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
