/** `ip monitor`: says when a link, an address or a route of the machine changed, until it is stopped. */
import { failure, type ToolCall, type ToolResult } from '../tools/tool.ts';
import { addressesText, linkText, routeText } from './ip-text.ts';
import { routesJson } from './ip-json.ts';
import { advertisementDelayMs, configuredSince, dhcpDelayMs } from './live.ts';
import type { NetworkSection } from './section.ts';

/** A change of the machine is several of its file. */
const gatherMs = 10;

/** Lines by what they are about. */
function picture(section: Readonly<NetworkSection>): Map<string, string> {
  const lines = new Map<string, string>();
  for (const link of section.links) {
    lines.set(`link ${link.index}`, linkText(section, link));
    lines.set(`address ${link.index}`, addressesText(section, link, undefined));
    const routes = [...routesJson(section, 4, link), ...routesJson(section, 6, link)];
    lines.set(`route ${link.index}`, routes.map(routeText).join(''));
  }
  return lines;
}

/** Milliseconds until a lease or an advertisement that is under way arrives. */
function untilNext(section: Readonly<NetworkSection>, now: number): number | undefined {
  const waits = section.links.flatMap((link) => {
    const since = configuredSince(section, link);
    return since === undefined ? [] : [since + dhcpDelayMs - now, since + advertisementDelayMs - now];
  });
  const ahead = waits.filter((wait) => wait > 0);
  return ahead.length === 0 ? undefined : Math.min(...ahead) + 5;
}

export function monitor(
  { machine, signal, write }: ToolCall,
  objects: readonly string[],
): Promise<ToolResult> {
  const wrong = objects.find((object) => !['link', 'address', 'route', 'all'].includes(object));
  if (wrong !== undefined)
    return Promise.resolve(failure(`Argument "${wrong}" is unknown, try "ip monitor help".`, 255));
  const wanted = objects.length === 0 || objects.includes('all') ? ['link', 'address', 'route'] : objects;
  return new Promise((resolve) => {
    let shown = picture(machine.read().network);
    let timer: NodeJS.Timeout | undefined;
    const look = (): void => {
      if (!machine.exists) return;
      const section = machine.read().network;
      const now = picture(section);
      for (const [key, text] of now) {
        if (shown.get(key) !== text && wanted.includes(key.split(' ')[0] ?? ''))
          write(text === '' ? `Deleted ${shown.get(key) ?? ''}\n` : text);
      }
      for (const [key, text] of shown) if (!now.has(key) && text !== '') write(`Deleted ${text}`);
      shown = now;
      clearTimeout(timer);
      const wait = untilNext(section, Date.now());
      if (wait !== undefined) timer = setTimeout(look, wait).unref();
    };
    let soon: NodeJS.Timeout | undefined;
    const watcher = machine.watch(() => {
      soon ??= setTimeout(() => {
        soon = undefined;
        look();
      }, gatherMs).unref();
    });
    look();
    const end = (): void => {
      clearTimeout(timer);
      clearTimeout(soon);
      watcher.close();
      resolve({});
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
