/**
 * The machine's own HTTP proxy, through which its programs reach the configured proxy servers.
 *
 * Invariants: programs are sent to the proxy only while it has its settings; these are in memory and nobody but root may
 * read them (its unit hands them to it); without a proxy in the configuration nothing of it runs or is left.
 */
import type {
  SystemNetworkConfig,
  SystemNetworkProxy,
  SystemNetworkProxyServer,
} from '@incusos/contracts/network';
import type { Host } from '@incusos/host';
import {
  type Authentication,
  formatSettings,
  localProxy,
  parseEndpoint,
  type ProxyServer,
  type ProxySettings,
} from '@incusos/proxy-settings';

/** The service is started by its socket too, which systemd holds open while it is restarted. */
const service = 'local-proxy.service';
const units = ['local-proxy.socket', service] as const;

/** Holds passwords. */
export const settingsFile = '/run/incus-os/proxy.json';
/** Is there from before the settings are changed until the proxy has them. */
const unreadMarker = '/run/incus-os/proxy.unread';
/** What programs are started with that read it (environment(5), systemd.exec(5)). */
export const environmentFile = '/etc/environment';

/** The files that go with a configuration and hold no secret. */
export function proxyFiles(config: SystemNetworkConfig): Map<string, string | undefined> {
  return new Map([[environmentFile, config.proxy === undefined ? undefined : environment()]]);
}

/** Has the proxy run with the configuration's settings, or not at all without any. */
export async function applyProxy({ files, programs }: Host, { proxy }: SystemNetworkConfig): Promise<void> {
  const [settings, variables] = await Promise.all([
    readIfThere(files, settingsFile),
    readIfThere(files, environmentFile),
  ]);
  if (proxy === undefined) {
    if (variables !== undefined) await files.remove(environmentFile);
    if (settings === undefined) return;
    await programs.run(['systemctl', 'stop', ...units]);
    // Last, as it tells that there is something to be stopped.
    await files.remove(settingsFile);
    return;
  }
  const wanted = formatSettings(settingsOf(proxy));
  if (settings !== wanted || (await files.exists(unreadMarker))) {
    await files.writeAtomic(unreadMarker, '');
    await files.writeAtomic(settingsFile, wanted, { mode: 0o600 });
    await programs.run(['systemctl', 'restart', service]);
    await files.remove(unreadMarker);
  } else if (!(await isActive(programs))) await programs.run(['systemctl', 'start', service]);
  if (variables !== environment()) await files.writeAtomic(environmentFile, environment());
}

/** What the proxy is told; the configuration is a valid one. */
export function settingsOf({ servers, rules }: SystemNetworkProxy): ProxySettings {
  return {
    servers: Object.fromEntries(
      Object.entries(servers)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, server]) => [name, serverOf(server)]),
    ),
    rules: rules.map(({ destination, target }) => ({ destination, target })),
  };
}

function serverOf(server: SystemNetworkProxyServer): ProxyServer {
  const endpoint = parseEndpoint(server.host, server.use_tls);
  if (endpoint === undefined) throw new Error('the configuration of the proxy was not checked');
  return { ...endpoint, authentication: authenticationOf(server) };
}

function authenticationOf({
  auth,
  username = '',
  password = '',
  realm = '',
}: SystemNetworkProxyServer): Authentication {
  if (auth === 'basic') return { type: auth, username, password };
  if (auth !== 'kerberos') return { type: 'anonymous' };
  const principal = username.includes('@') ? username : `${username}@${realm}`;
  return { type: auth, realm, principal, password };
}

/** Not everything that reads these knows by itself that this machine's own addresses need no proxy. */
function environment(): string {
  const url = `http://${localProxy.host}:${localProxy.port}`;
  return `http_proxy=${url}\nhttps_proxy=${url}\nno_proxy=localhost,127.0.0.1,::1\n`;
}

async function isActive(programs: Host['programs']): Promise<boolean> {
  const { stdout } = await programs.run(['systemctl', 'is-active', service], { acceptExitCodes: 'any' });
  return stdout.trim() === 'active';
}

async function readIfThere(files: Host['files'], path: string): Promise<string | undefined> {
  return (await files.exists(path)) ? files.readText(path) : undefined;
}
