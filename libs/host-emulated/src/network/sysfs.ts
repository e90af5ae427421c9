/** `/sys/class/net` and `/proc/net/dev` as the kernel shows them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Area } from '../area.ts';
import type { EmulatedMachine } from '../machine/emulated-machine.ts';
import { pciDirectory } from '../system/pci.ts';
import { linkTo } from '../system/relative-link.ts';
import { countersOf } from './live.ts';
import { hasCarrier, nicOf } from './kernel.ts';
import type { Link, NetworkSection } from './section.ts';

const directory = '/sys/class/net';

/** What this process showed of each machine last: the attributes of its links, by their names. */
const shown = new WeakMap<EmulatedMachine, { readonly boot: string; readonly links: Map<string, string> }>();

/**
 * Brings the files up to date with the machine. Whoever changes the machine shows what they changed, so that only what
 * is another than this process saw last has to be written.
 */
export async function showLinks(machine: EmulatedMachine): Promise<void> {
  const { network: section, system } = machine.read();
  const { files } = machine;
  const boot = system.power.boot_id;
  const last = shown.get(machine);
  const before = last?.boot === boot ? last.links : new Map<string, string>();
  const now = new Map<string, string>();
  const names = new Set(section.links.map(({ name }) => name));
  const present = new Set(await files.list(directory));
  const gone = [...present].filter((name) => !names.has(name));
  await Promise.all(gone.map(async (name) => files.remove(`${directory}/${name}`)));
  const changed = section.links.filter((link) => {
    const text = JSON.stringify(attributes(section, link));
    now.set(link.name, text);
    return before.get(link.name) !== text || !present.has(link.name);
  });
  shown.set(machine, { boot, links: now });
  for (const [index, link] of changed.entries()) {
    showAttributes(files.resolve(`${directory}/${link.name}`), attributes(section, link));
    await showDevice(machine, section, link);
    // Hundreds of them are not to keep everyone else waiting.
    if (index % 16 === 15) await nextTurn();
  }
}

/** Written at once: thousands of small files one by one through the pool of threads take far longer. */
function showAttributes(place: string, wanted: Readonly<Record<string, string>>): void {
  mkdirSync(place, { recursive: true });
  for (const [name, text] of Object.entries(wanted)) writeFileSync(join(place, name), text);
}

/** The hardware behind a link: a virtio device on PCI. */
async function showDevice(
  machine: EmulatedMachine,
  section: Readonly<NetworkSection>,
  link: Link,
): Promise<void> {
  const nic = nicOf(section, link);
  const place = `${directory}/${link.name}/device`;
  if (nic === undefined || (await machine.files.exists(place))) return;
  const device = `${pciDirectory(nic.bus_address)}/virtio${link.index}`;
  await show(machine, `${device}/uevent`, `DRIVER=${nic.driver}\nMODALIAS=virtio:d00000001v00001AF4\n`);
  await linkTo(machine.files, device, place);
}

/** Counters are those of the moment at which they are read. */
export const liveNetworkFiles: NonNullable<Area['liveFiles']> = {
  '/proc/net/dev': (machine) => procNetDev(machine.read().network),
};

async function show(machine: EmulatedMachine, path: string, text: string): Promise<void> {
  const target = machine.files.resolve(path);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, text);
}

function attributes(section: Readonly<NetworkSection>, link: Link): Record<string, string> {
  const nic = nicOf(section, link);
  const carrier = hasCarrier(section, link);
  return {
    address: `${link.mac}\n`,
    addr_assign_type: `${link.mac_assigned}\n`,
    carrier: `${carrier ? 1 : 0}\n`,
    ifindex: `${link.index}\n`,
    iflink: `${link.parent ?? link.peer ?? link.index}\n`,
    mtu: `${link.mtu}\n`,
    operstate: `${link.kind === 'loopback' ? 'unknown' : carrier ? 'up' : 'down'}\n`,
    type: `${link.kind === 'loopback' ? 772 : link.kind === 'wireguard' ? 65_534 : 1}\n`,
    speed: `${speedOf(section, link, carrier)}\n`,
    ...(nic === undefined ? {} : { dev_port: '0\n', duplex: carrier ? 'full\n' : 'unknown\n' }),
  };
}

/** -1 where the driver knows no speed, as for a NIC without a cable. */
function speedOf(section: Readonly<NetworkSection>, link: Link, carrier: boolean): number {
  if (!carrier) return -1;
  const nic = nicOf(section, link);
  return nic === undefined ? 10_000 : nic.speed;
}

function procNetDev(section: Readonly<NetworkSection>): string {
  const lines = section.links.map((link) => {
    const { rx, tx } = countersOf(section, link);
    const fields = [rx, Math.floor(rx / 64), 0, 0, 0, 0, 0, 0, tx, Math.floor(tx / 64), 0, 0, 0, 0, 0, 0];
    return `${link.name.padStart(6)}: ${fields.join(' ')}\n`;
  });
  return (
    'Inter-|   Receive                                                |  Transmit\n' +
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n' +
    lines.join('')
  );
}
