/** What a configuration of the Tailscale service has to be: what its programs would refuse is refused before they run. */
import { isIP } from 'node:net';
import type { ServiceTailscaleConfig } from '@incusos/contracts/addons';
import type { Violations } from '../config/violation.ts';
import { checkText, isHttpUrl } from './text-rules.ts';

export function* checkTailscale(config: ServiceTailscaleConfig): Violations {
  yield* checkText(config, ['login_server', 'auth_key', 'exit_node', 'serve_service']);
  if (config.login_server !== '' && !isHttpUrl(config.login_server)) {
    yield {
      field: 'config.login_server',
      message: `invalid login server '${config.login_server}', must be an http or https URL`,
    };
  }
  if (!isPort(config.port, 0))
    yield { field: 'config.port', message: `invalid port ${config.port}, must be from 0 to 65535` };
  for (const [index, route] of config.advertised_routes.entries()) {
    const problem = routeProblem(route);
    if (problem !== undefined) {
      yield {
        field: `config.advertised_routes[${index}]`,
        message: `advertised route ${index} '${route}' ${problem}`,
      };
    }
  }
  if (config.advertise_exit_node && config.exit_node !== '') {
    yield {
      field: 'config.exit_node',
      message: "a machine that offers to be an exit node can't use another one",
    };
  }
  if (config.serve_enabled && !isPort(config.serve_port, 1)) {
    yield {
      field: 'config.serve_port',
      message: `invalid serve port ${config.serve_port}, must be from 1 to 65535`,
    };
  }
  if (config.serve_service !== '' && !/^svc:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/u.test(config.serve_service)) {
    yield {
      field: 'config.serve_service',
      message: `invalid serve service '${config.serve_service}', must be svc:<name>`,
    };
  }
}

function isPort(port: number, lowest: number): boolean {
  return port >= lowest && port <= 65_535;
}

function routeProblem(route: string): string | undefined {
  const [, address = '', length = ''] = /^([\d.:A-Fa-f]+)\/(\d{1,3})$/u.exec(route) ?? [];
  const family = isIP(address);
  if (family === 0 || Number(length) > (family === 4 ? 32 : 128)) return 'is no network with a prefix length';
  return isNetwork(address, Number(length), family) ? undefined : 'has bits set that are not of its network';
}

/** Whether no bit beyond the prefix is set. */
function isNetwork(address: string, length: number, family: number): boolean {
  const bits = family === 4 ? bitsOf4(address) : bitsOf6(address);
  return !bits.slice(length).includes('1');
}

function bitsOf4(address: string): string {
  const parts = address.split('.').map(Number);
  return parts.map((part) => part.toString(2).padStart(8, '0')).join('');
}

function bitsOf6(address: string): string {
  // A URL has the shortest form, which ends in no IPv4 address.
  const { hostname } = new URL(`http://[${address}]`);
  const [head = '', tail] = hostname.slice(1, -1).split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const first = groups(head);
  const last = groups(tail ?? '');
  const zeros = Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0');
  return [...first, ...zeros, ...last]
    .map((group) => Number.parseInt(group, 16).toString(2).padStart(16, '0'))
    .join('');
}
