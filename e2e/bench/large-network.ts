/**
 * A network as large as they come: 64 cards with an interface each, 32 more in 16 bonds, and 200 VLANs. How fast its
 * state is told, at rest and while a change is applied, and what a change to one of its interfaces touches.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Rest } from '../appliance/rest.ts';
import { startAppliance } from '../appliance/running.ts';
import { type LoadResult, measure } from './load.ts';
import { memoryBelow } from './memory.ts';

const interfaces = 64;
const bonds = 16;
const vlans = 200;
const path = '/os/1.0/system/network';

export interface LargeNetworkReport {
  /** Bytes of one answer. */
  readonly bytes: number;
  readonly reads: readonly LoadResult[];
  /** Seconds that a change to one interface took. */
  readonly change: number;
  /** Answers while it was being applied. */
  readonly meanwhile: LoadResult;
  /** Network devices of the machine, and those that the change made anew or configured anew. */
  readonly devices: number;
  readonly touched: readonly string[];
  /** Seconds of processor time that the network service takes in a minute in which nobody asks. */
  readonly idle: number;
}

function cardMac(index: number): string {
  return `10:66:6a:00:00:${(index + 1).toString(16).padStart(2, '0')}`;
}

/** A description of the machine, as `npm start -- --machine FILE` takes it. */
function machineDescription(): unknown {
  const nics = Array.from({ length: interfaces + 2 * bonds }, (_, index) => ({
    name: `enp${5 + index}s0`,
    mac: cardMac(index),
    driver: 'virtio_net',
    speed: 10_000,
    max_mtu: 65_535,
    bus_address: `0000:${(5 + index).toString(16).padStart(2, '0')}:00.0`,
    link: 'up',
    link_since: '1970-01-01T00:00:00.000Z',
  }));
  return { format: 1, network: { nics } };
}

/**
 * The configuration, as a client sends it.
 * @param last addresses of the last interface.
 */
export function largeNetwork(last: readonly string[] = ['10.63.0.2/24']): Record<string, unknown> {
  return {
    interfaces: Array.from({ length: interfaces }, (_, index) => ({
      name: `lan${index}`,
      hwaddr: cardMac(index),
      lldp: true,
      addresses: index === 0 ? ['dhcp4', 'slaac'] : index === interfaces - 1 ? last : [`10.${index}.0.2/24`],
      required_for_online: index === 0 ? 'ipv4' : 'no',
    })),
    bonds: Array.from({ length: bonds }, (_, index) => ({
      name: `bond${index}`,
      mode: '802.3ad',
      lldp: true,
      members: [cardMac(interfaces + 2 * index), cardMac(interfaces + 2 * index + 1)],
      addresses: [`10.100.${index}.2/24`],
      required_for_online: 'no',
    })),
    vlans: Array.from({ length: vlans }, (_, index) => ({
      name: `vlan${index}`,
      id: 10 + index,
      parent: index % 2 === 0 ? `bond${index % bonds}` : `lan${index % interfaces}`,
      addresses: [`10.200.${index}.2/24`],
      required_for_online: 'no',
    })),
  };
}

/** When each device of the machine was made and configured last. */
function devicesOf(directory: string): Map<string, string> {
  const { network } = JSON.parse(readFileSync(join(directory, 'machine.json'), 'utf8')) as {
    network: { links: { name: string; created: string; network?: { since: string } }[] };
  };
  return new Map(
    network.links.map(({ name, created, network: settings }) => [
      name,
      `${created} ${settings?.since ?? ''}`,
    ]),
  );
}

/** Seconds of processor time of a process and its threads (proc_pid_stat(5)). */
function processorTime(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** @param scale share of the usual work. */
export async function benchLargeNetwork(scale: number): Promise<LargeNetworkReport> {
  const directory = mkdtempSync(join(tmpdir(), 'ios-net-'));
  writeFileSync(join(directory, 'machine.json'), JSON.stringify(machineDescription()));
  const appliance = await startAppliance(directory);
  const rest = new Rest(appliance.url, { cert: appliance.certificate, key: appliance.key });
  const put = (config: Record<string, unknown>): Promise<unknown> =>
    rest.succeed('PUT', path, { json: { config } });
  try {
    await put(largeNetwork());
    await sleep(5_000);
    const load = { method: 'GET', path };
    const bytes = (await rest.send('GET', path)).body.length;
    const reads: LoadResult[] = [];
    for (const [connections, requests] of [
      [1, 1_000],
      [10, 3_000],
    ] as const)
      reads.push(await measure(appliance, load, connections, 100 * scale, requests * scale));
    const before = devicesOf(directory);
    const began = performance.now();
    let applying = true;
    const change = put(largeNetwork(['10.63.0.3/24'])).finally(() => {
      applying = false;
    });
    const meanwhile = await measure(appliance, load, 1, 0, () => applying);
    await change;
    const seconds = (performance.now() - began) / 1000;
    const after = devicesOf(directory);
    const touched = [...after].filter(([name, state]) => before.get(name) !== state).map(([name]) => name);
    await sleep(10_000);
    const service = (await memoryBelow(appliance.pid ?? 0)).find(({ name }) => name === 'network');
    const pid = service?.pid ?? Number.NaN;
    const spent = processorTime(pid);
    await sleep(60_000 * scale);
    const idle = (processorTime(pid) - spent) / scale;
    return { bytes, reads, change: seconds, meanwhile, devices: after.size, touched, idle };
  } finally {
    rest.close();
    await appliance.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}
