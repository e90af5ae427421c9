/** NICs, the kernel's network devices, systemd-networkd, resolved and timesyncd, and the LAN they meet. */
import type { Area } from '../area.ts';
import { networkCommands, populate, powerOff } from './commands.ts';
import { ethtool } from './ethtool.ts';
import { hostnamectl } from './hostnamectl.ts';
import { ip } from './ip.ts';
import { networkctl } from './networkctl.ts';
import { resolvectl } from './resolvectl.ts';
import { liveNetworkFiles } from './sysfs.ts';
import { timedatectl } from './timedatectl.ts';
import { networkUnits } from './units.ts';

export const network: Area = {
  name: 'network',
  tools: { ethtool, hostnamectl, ip, networkctl, resolvectl, timedatectl },
  units: networkUnits,
  populate,
  powerOff,
  liveFiles: liveNetworkFiles,
  commands: networkCommands,
};
