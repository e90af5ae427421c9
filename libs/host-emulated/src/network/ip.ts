/** ip(8) of iproute2: links, addresses and routes as JSON and as text, changes to links, and the monitor. */
import { failure, type Tool, type ToolCall, type ToolResult } from '../tools/tool.ts';
import { addressesJson, linkJson, routesJson } from './ip-json.ts';
import { addressesText, linkText, routeText } from './ip-text.ts';
import { findLink, maxMtu, removeLink } from './kernel.ts';
import { monitor } from './monitor.ts';
import type { Link, NetworkSection } from './section.ts';
import { showLinks } from './sysfs.ts';

interface Options {
  json: boolean;
  details: boolean;
  statistics: boolean;
  family: 4 | 6 | undefined;
}

export const ip: Tool = async (call) => {
  const options: Options = { json: false, details: false, statistics: false, family: undefined };
  const words = [...call.args];
  while (words[0]?.startsWith('-') === true) {
    const word = words.shift() ?? '';
    if (/^-j(?:son)?$/u.test(word)) options.json = true;
    else if (/^-d(?:etails)?$/u.test(word)) options.details = true;
    else if (/^-s(?:tat(?:istic)?s)?$/u.test(word)) options.statistics = true;
    else if (word === '-4') options.family = 4;
    else if (word === '-6') options.family = 6;
    else if (word !== '-p' && word !== '-pretty' && word !== '-o')
      return failure(`Option "${word}" is unknown, try "ip -help".`, 255);
  }
  const [object = '', ...rest] = words;
  if (object === '') return failure('Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }', 255);
  if ('monitor'.startsWith(object)) return monitor(call, rest);
  if ('link'.startsWith(object)) return link(call, options, rest);
  if ('address'.startsWith(object)) return show(call, options, rest, 'address');
  if ('route'.startsWith(object)) return route(call, options, rest);
  return failure(`Object "${object}" is unknown, try "ip help".`);
};

function link(call: ToolCall, options: Options, words: readonly string[]): Promise<ToolResult> | ToolResult {
  const [command = 'show', ...rest] = words;
  if (['show', 'list', 'lst', 'sh', 'ls'].includes(command))
    return show(call, options, [command, ...rest], 'link');
  if (command === 'delete' || command === 'del') return remove(call, rest);
  if (command === 'set') return set(call, rest);
  return failure(`Command "${command}" is unknown, try "ip link help".`, 255);
}

function show(
  call: ToolCall,
  options: Options,
  words: readonly string[],
  what: 'link' | 'address',
): ToolResult {
  const rest = ['show', 'list', 'lst', 'sh', 'ls'].includes(words[0] ?? '') ? words.slice(1) : [...words];
  const section = call.machine.read().network;
  let links = section.links;
  for (let index = 0; index < rest.length; index += 1) {
    const word = rest[index] ?? '';
    if (word === 'up') links = links.filter(({ up }) => up);
    else {
      const name = word === 'dev' ? (rest[(index += 1)] ?? '') : word;
      const found = findLink(section, name);
      if (found === undefined) return failure(`Device "${name}" does not exist.`);
      links = [found];
    }
  }
  if (options.json) {
    const describe = (one: Link): unknown =>
      what === 'link' ? linkJson(section, one, options) : addressesJson(section, one, options);
    return { stdout: `${JSON.stringify(links.map(describe))}\n` };
  }
  const describe = (one: Link): string =>
    what === 'link'
      ? linkText(section, one)
      : linkText(section, one) + addressesText(section, one, options.family);
  return { stdout: links.map(describe).join('') };
}

function route(call: ToolCall, options: Options, words: readonly string[]): ToolResult {
  const rest = ['show', 'list', 'lst', 'sh', 'ls'].includes(words[0] ?? '') ? words.slice(1) : [...words];
  const section = call.machine.read().network;
  let dev: Link | undefined;
  for (let index = 0; index < rest.length; index += 2) {
    const [word, value = ''] = [rest[index], rest[index + 1]];
    if (word === 'dev') {
      dev = findLink(section, value);
      if (dev === undefined) return failure(`Cannot find device "${value}"`);
    } else if (word !== 'table' || value !== 'main') {
      return failure(`Command "${word ?? ''}" is unknown, try "ip route help".`, 255);
    }
  }
  const routes = routesJson(section, options.family ?? 4, dev);
  if (options.json) return { stdout: `${JSON.stringify(routes)}\n` };
  return { stdout: routes.map(routeText).join('') };
}

async function remove(call: ToolCall, words: readonly string[]): Promise<ToolResult> {
  const name = (words[0] === 'dev' ? words[1] : words[0]) ?? '';
  const answer = await call.machine.change(({ network: section }) => {
    const found = findLink(section, name);
    if (found === undefined) return failure(`Cannot find device "${name}"`);
    if (found.kind === 'ether' || found.kind === 'loopback')
      return failure('RTNETLINK answers: Operation not supported', 2);
    removeLink(section, found);
    return {};
  });
  await showLinks(call.machine);
  return answer;
}

async function set(call: ToolCall, words: readonly string[]): Promise<ToolResult> {
  const rest = words[0] === 'dev' ? words.slice(1) : [...words];
  const answer = await call.machine.change(({ network: section }) => {
    const found = findLink(section, rest[0] ?? '');
    if (found === undefined) return failure(`Cannot find device "${rest[0] ?? ''}"`);
    for (let index = 1; index < rest.length; index += 1) {
      const word = rest[index] ?? '';
      if (word === 'up' || word === 'down') found.up = word === 'up';
      else if (word === 'nomaster') delete found.master;
      else {
        const problem = setting(section, found, word, rest[(index += 1)] ?? '');
        if (problem !== undefined) return problem;
      }
    }
    return {};
  });
  await showLinks(call.machine);
  return answer;
}

function setting(section: NetworkSection, link: Link, word: string, value: string): ToolResult | undefined {
  switch (word) {
    case 'name':
      if (findLink(section, value) !== undefined) return failure('RTNETLINK answers: File exists', 2);
      link.name = value;
      return undefined;
    case 'address':
      if (!/^(?:[\da-f]{2}:){5}[\da-f]{2}$/iu.test(value))
        return failure(`"${value}" is invalid lladdr.`, 255);
      link.mac = value.toLowerCase();
      link.mac_assigned = 3;
      return undefined;
    case 'mtu': {
      const mtu = Number(value);
      if (!Number.isInteger(mtu) || mtu < 68) return failure('Error: mtu less than device minimum.', 2);
      if (mtu > maxMtu(section, link)) return failure('Error: mtu greater than device maximum.', 2);
      link.mtu = mtu;
      return undefined;
    }
    default:
      return failure(`Error: either "dev" is duplicate, or "${word}" is a garbage.`, 255);
  }
}
