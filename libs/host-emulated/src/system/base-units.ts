/**
 * Units of the image that have no effect beyond running, or one on the kernel's settings. An area that gives one of
 * them an effect brings a unit of the same name.
 */
import { applySysctlFiles } from './sysctl.ts';
import type { Unit } from './units.ts';

function daemon(name: string, description: string, command: string, user?: string): Unit {
  return { name, description, process: user === undefined ? { command } : { command, user } };
}

const reload = (): Promise<void> => Promise.resolve();

export const baseUnits: readonly Unit[] = [
  {
    name: 'systemd-sysctl.service',
    description: 'Apply Kernel Variables',
    oneshot: true,
    startsAtBoot: true,
    onStart: ({ machine }) => applySysctlFiles(machine),
  },
  {
    ...daemon('systemd-journald.service', 'Journal Service', '/usr/lib/systemd/systemd-journald'),
    startsAtBoot: true,
    onReload: reload,
  },
  {
    ...daemon(
      'systemd-udevd.service',
      'Rule-based Manager for Device Events and Files',
      '/usr/lib/systemd/systemd-udevd',
    ),
    startsAtBoot: true,
    onReload: reload,
  },
  {
    ...daemon(
      'dbus.service',
      'D-Bus System Message Bus',
      '/usr/bin/dbus-daemon --system --address=systemd: --nofork --nopidfile --systemd-activation --syslog-only',
      'messagebus',
    ),
    startsAtBoot: true,
    onReload: reload,
  },
  {
    ...daemon('systemd-logind.service', 'User Login Management', '/usr/lib/systemd/systemd-logind'),
    startsAtBoot: true,
  },
  {
    ...daemon(
      'systemd-networkd.service',
      'Network Configuration',
      '/usr/lib/systemd/systemd-networkd',
      'systemd-network',
    ),
    startsAtBoot: true,
    onReload: reload,
  },
  {
    ...daemon(
      'systemd-resolved.service',
      'Network Name Resolution',
      '/usr/lib/systemd/systemd-resolved',
      'systemd-resolve',
    ),
    startsAtBoot: true,
    onReload: reload,
  },
  daemon(
    'systemd-timesyncd.service',
    'Network Time Synchronization',
    '/usr/lib/systemd/systemd-timesyncd',
    'systemd-timesync',
  ),
  daemon(
    'systemd-netlogd.service',
    'Journal to network syslog forwarding',
    '/usr/lib/systemd/systemd-netlogd',
    'systemd-journal-netlogd',
  ),
  daemon(
    'systemd-journal-upload.service',
    'Journal Remote Upload Service',
    '/usr/lib/systemd/systemd-journal-upload --save-state',
    'systemd-journal-upload',
  ),
  daemon('incus-lxcfs.service', 'Incus - LXCFS', '/opt/incus/bin/lxcfs /var/lib/incus-lxcfs'),
  { name: 'incus.socket', description: 'Incus - Daemon (unix socket)' },
  { name: 'incus-startup.service', description: 'Incus - Startup check', oneshot: true },
  daemon('incus.service', 'Incus - Daemon', '/opt/incus/bin/incusd --group incus-admin --syslog'),
];
