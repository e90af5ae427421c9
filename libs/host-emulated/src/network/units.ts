/** What starting the network's daemons does to the machine. */
import type { Unit } from '../system/units.ts';
import { reloadNetworkd } from './networkd.ts';
import { say } from './say.ts';
import { timesyncd } from './timesyncd.ts';

const proxyCredentials = '/run/credentials/local-proxy.service';
const networkd = 'systemd-networkd.service';

export const networkUnits: readonly Unit[] = [
  {
    name: networkd,
    description: 'Network Configuration',
    process: { command: '/usr/lib/systemd/systemd-networkd', user: 'systemd-network' },
    startsAtBoot: true,
    onStart: async ({ machine, files }) => say(machine, networkd, await reloadNetworkd(machine, files)),
    onReload: async ({ machine, files }) => say(machine, networkd, await reloadNetworkd(machine, files)),
  },
  { name: 'local-proxy.socket', description: 'HTTP proxy of this machine' },
  {
    name: 'local-proxy.service',
    description: 'HTTP proxy of this machine',
    process: { command: '/usr/bin/node /usr/lib/incus-os/proxy/main.mjs', user: 'local-proxy' },
    // LoadCredential= of systemd.exec(5); a file that isn't there fails the unit.
    onStart: async ({ files }) => {
      const settings = await files.readText('/run/incus-os/proxy.json');
      await files.writeAtomic(`${proxyCredentials}/settings`, settings, { mode: 0o600 });
    },
    onStop: async ({ files }) => files.remove(`${proxyCredentials}/settings`),
  },
  timesyncd,
];
