/** What the machine announces changes of, asked for in parallel: devices, addresses, routes, states, speeds. */
import type { Host } from '@incusos/host';
import { cardsOf, type LinkDetails, parseLinks, parseRoutes, type Route } from './ip.ts';
import { type LinkStatus, parseStatuses } from './networkctl.ts';

export interface Readings {
  readonly links: ReadonlyMap<string, LinkDetails>;
  readonly routes: readonly Route[];
  readonly statuses: ReadonlyMap<string, LinkStatus>;
  /** Mbit/s by card and by bond, where the driver knows one. */
  readonly speeds: ReadonlyMap<string, number>;
}

export async function readMachine(host: Host): Promise<Readings> {
  const run = async (...argv: [string, ...string[]]): Promise<string> =>
    (await host.programs.run(argv)).stdout;
  const [links, routes4, routes6, list] = await Promise.all([
    readLinks(host),
    run('ip', '-j', '-4', 'route', 'show', 'table', 'main'),
    run('ip', '-j', '-6', 'route', 'show', 'table', 'main'),
    run('networkctl', 'list', '--json=short', '--no-pager'),
  ]);
  return {
    links: new Map(links.map((link) => [link.name, link])),
    routes: [...parseRoutes(routes4), ...parseRoutes(routes6)],
    statuses: parseStatuses(list),
    speeds: await readSpeeds(host, links),
  };
}

export async function readLinks(host: Host, timeoutMs = 30_000): Promise<LinkDetails[]> {
  const { stdout } = await host.programs.run(['ip', '-j', '-d', 'address', 'show'], { timeoutMs });
  return parseLinks(stdout);
}

async function readSpeeds(host: Host, links: readonly LinkDetails[]): Promise<Map<string, number>> {
  const speeds = await Promise.all(
    [...cardsOf(links), ...links.filter(({ kind }) => kind === 'bond')].map(
      async ({ name }) =>
        [name, Number(await host.files.readText(`/sys/class/net/${name}/speed`).catch(() => '-1'))] as const,
    ),
  );
  // -1 where there is no link, or no driver that knows (Documentation/ABI/testing/sysfs-class-net).
  return new Map(speeds.filter(([, speed]) => Number.isInteger(speed) && speed > 0));
}
