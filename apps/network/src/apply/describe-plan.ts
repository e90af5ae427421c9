/** What a change would do, in the API's words: for somebody who wants to know before it is done. */
import type {
  SystemNetworkConfig,
  SystemNetworkPlan,
  SystemNetworkPlanDevice,
  SystemNetworkPlanFile,
} from '@incusos/contracts/network';
import { bondMac, bondName, hostName, physicalName, portName } from '../render/device-names.ts';
import { networkDirectory } from '../render/render.ts';
import { type PlannedChange, steps } from './apply.ts';
import { keepsGuests } from './devices.ts';
import { lineDiff } from './line-diff.ts';
import { deviceOf, matchedLink } from './plan.ts';

/**
 * @param planned the change.
 * @param current the configuration in force.
 */
export async function describePlan(
  planned: PlannedChange,
  current: SystemNetworkConfig | undefined,
): Promise<Omit<SystemNetworkPlan, 'warnings'>> {
  const devices = devicesOf(planned);
  return {
    files: [...networkFiles(planned), ...(await otherFiles(planned))].toSorted((a, b) =>
      a.path < b.path ? -1 : 1,
    ),
    devices,
    interrupted: current === undefined ? [] : interruptedOf(planned, devices, current),
  };
}

/** Who may see what would change need not see these. */
const secrets = /^([+-](?:PrivateKey|PresharedKey|WakeOnLanPassword)=).*$/gmu;

function networkFiles({ plan: { write, remove }, present }: PlannedChange): SystemNetworkPlanFile[] {
  return [
    ...[...write].map(([name, content]) =>
      fileChange(`${networkDirectory}/${name}`, present.get(name), content),
    ),
    ...remove.map((name) => fileChange(`${networkDirectory}/${name}`, present.get(name), undefined)),
  ];
}

async function otherFiles({ host, config }: PlannedChange): Promise<SystemNetworkPlanFile[]> {
  const changes: SystemNetworkPlanFile[] = [];
  for (const { files } of steps) {
    for (const [path, wanted] of (await files?.({ host, config })) ?? []) {
      const present = (await host.files.exists(path)) ? await host.files.readText(path) : undefined;
      if (present !== wanted) changes.push(fileChange(path, present, wanted));
    }
  }
  return changes;
}

function fileChange(
  path: string,
  present: string | undefined,
  wanted: string | undefined,
): SystemNetworkPlanFile {
  if (wanted === undefined) return { path, change: 'removed' };
  if (present === undefined) return { path, change: 'added' };
  return { path, change: 'changed', diff: lineDiff(present, wanted).replace(secrets, '$1…') };
}

function devicesOf({ plan, present, links }: PlannedChange): SystemNetworkPlanDevice[] {
  const created = [...plan.write]
    .filter(([name]) => name.endsWith('.netdev') && !present.has(name))
    .flatMap(([, content]) => deviceOf(content))
    .map((name) => ({ name, change: 'created' }));
  const stale = plan.staleDevices
    .filter((device) => links.some(({ name }) => name === device.name) && !keepsGuests(device, links))
    .map(({ name, removed }) => ({ name, change: removed ? 'removed' : 'recreated' }));
  // One that is only moved to another file is stale and new at once.
  const again = new Set(created.map(({ name }) => name));
  return [
    ...created.filter(({ name }) => !stale.some((device) => device.name === name)),
    ...stale.map(({ name, change }) => ({ name, change: again.has(name) ? 'recreated' : change })),
  ];
}

/** Settings that a link takes on without losing anything that passes over it. */
const harmless =
  /^(?:DNS|Domains|DNSOverTLS|NTP|LLDP|EmitLLDP|RequiredForOnline|RequiredFamilyForOnline|ConfigureWithoutCarrier)=/u;

/** Devices as configured at present that lose a link, an address, a route or their place for at least a moment. */
function interruptedOf(
  { plan: { write, remove, cards }, present }: PlannedChange,
  devices: readonly SystemNetworkPlanDevice[],
  current: SystemNetworkConfig,
): string[] {
  const cut = new Set([
    ...devices.filter(({ change }) => change !== 'created').map(({ name }) => name),
    ...cards.map(physicalName),
  ]);
  const touched = new Set(cut);
  for (const name of [...write.keys(), ...remove]) {
    const before = present.get(name) ?? '';
    if (losesSomething(before, write.get(name) ?? '')) touched.add(matchedLink(before));
  }
  const carriers = new Map<string, readonly string[]>([
    ...current.interfaces.map(({ name, hwaddr }): [string, string[]] => [
      name,
      [name, hostName(name), portName(hwaddr), physicalName(hwaddr)],
    ]),
    ...current.bonds.map((bond): [string, string[]] => [
      bond.name,
      [
        bond.name,
        hostName(bond.name),
        bondName(bond.name),
        portName(bondMac(bond)),
        ...bond.members.map(physicalName),
      ],
    ]),
  ]);
  const any = (links: readonly string[] = [], among: ReadonlySet<string>): boolean =>
    links.some((link) => among.has(link));
  return [
    ...[...carriers].filter(([, links]) => any(links, touched)).map(([name]) => name),
    ...current.vlans
      .filter(({ name, parent }) => touched.has(name) || any(carriers.get(parent), cut))
      .map(({ name }) => name),
    ...current.wireguard.filter(({ name }) => touched.has(name)).map(({ name }) => name),
  ];
}

function losesSomething(before: string, after: string): boolean {
  const kept = new Set(after.split('\n'));
  return before.split('\n').some((line) => !kept.has(line) && line.includes('=') && !harmless.test(line));
}
