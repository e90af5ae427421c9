/** NICs, the kernel's network devices, systemd-networkd, resolved and timesyncd, and the LAN they meet. */
import type { Area } from '../area.ts';
import { ifInstalled, programCommands } from './addons/installed.ts';
import { netbird } from './addons/netbird.ts';
import { ovnAppctl } from './addons/ovn-appctl.ts';
import { ovsVsctl } from './addons/ovs-vsctl.ts';
import { tailscale } from './addons/tailscale.ts';
import { addonUnits } from './addons/units.ts';
import { bondingFile } from './bonding.ts';
import { networkCommands, populate, powerOff } from './commands.ts';
import { ethtool } from './ethtool.ts';
import { hostnamectl } from './hostnamectl.ts';
import { ip } from './ip.ts';
import { networkctl } from './networkctl.ts';
import { nft } from './nft.ts';
import { resolvectl } from './resolvectl.ts';
import { liveNetworkFiles } from './sysfs.ts';
import { timedatectl } from './timedatectl.ts';
import { networkUnits } from './units.ts';
import { wg } from './wg.ts';
import { answerVarlink } from './varlink.ts';

export const network: Area = {
  name: 'network',
  tools: {
    ethtool,
    hostnamectl,
    ip,
    networkctl,
    nft,
    resolvectl,
    timedatectl,
    wg,
    'ovs-vsctl': ovsVsctl,
    'ovn-appctl': ovnAppctl,
    tailscale: ifInstalled('tailscale', tailscale),
    netbird: ifInstalled('netbird', netbird),
  },
  units: [...networkUnits, ...addonUnits],
  populate,
  powerOff,
  liveFiles: liveNetworkFiles,
  commands: [...networkCommands, ...programCommands],
  liveDirectories: { '/proc/net/bonding': bondingFile },
  sockets: { '/run/systemd/netif/io.systemd.Network': answerVarlink },
};
