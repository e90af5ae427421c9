/** Kernel modules: what there is, what is loaded, and the programs that change it. */
import { showZram } from './zram-device.ts';
import type { Files } from '@incusos/host';
import type { EmulatedMachine } from '../machine/emulated-machine.ts';
import { failure, type Tool, type ToolResult } from '../tools/tool.ts';

interface KernelModule {
  /** Bytes in memory. */
  readonly size: number;
  readonly dependsOn: readonly string[];
  /** References held by the running system, which keep it from being unloaded. */
  readonly references?: number;
}

const module = (size: number, dependsOn: readonly string[] = [], references = 0): KernelModule => ({
  size,
  dependsOn,
  references,
});

const modules: ReadonlyMap<string, KernelModule> = new Map(
  Object.entries({
    amdgpu: module(14_692_352),
    bridge: module(393_216, ['stp', 'llc']),
    bonding: module(233_472),
    dm_crypt: module(65_536, ['dm_mod'], 2),
    dm_mod: module(225_280, [], 5),
    efi_pstore: module(12_288),
    ena: module(176_128),
    i915: module(4_407_296),
    i2c_i801: module(36_864),
    iTCO_wdt: module(16_384),
    joydev: module(24_576),
    llc: module(16_384),
    lpc_ich: module(28_672),
    nf_tables: module(385_024),
    nvme: module(61_440, ['nvme_core']),
    nvme_core: module(241_664),
    nvme_fabrics: module(36_864, ['nvme_core']),
    nvme_tcp: module(53_248, ['nvme_fabrics', 'nvme_core']),
    overlay: module(221_184, [], 1),
    pcspkr: module(12_288),
    spl: module(159_744),
    stp: module(12_288),
    tcp_bbr: module(20_480, [], 8),
    usbip_core: module(40_960),
    vfio: module(73_728),
    vfio_pci: module(16_384, ['vfio_pci_core', 'vfio']),
    vfio_pci_core: module(94_208, ['vfio']),
    vhci_hcd: module(57_344, ['usbip_core']),
    virtio_gpu: module(106_496),
    virtio_net: module(118_784, [], 1),
    virtio_scsi: module(28_672, [], 4),
    wireguard: module(126_976),
    xhci_hcd: module(372_736, [], 1),
    zfs: module(6_565_888, ['spl'], 6),
    zram: module(45_056),
    '8021q': module(53_248),
  }),
);

/** What udev and modules-load.d load at boot. */
const bootModules = [
  'dm_mod',
  'dm_crypt',
  'spl',
  'zfs',
  'overlay',
  'virtio_scsi',
  'virtio_net',
  'virtio_gpu',
  'xhci_hcd',
  'lpc_ich',
  'i2c_i801',
  'iTCO_wdt',
  'joydev',
  'pcspkr',
  'efi_pstore',
  'nf_tables',
  'llc',
  'stp',
  'bridge',
  'tcp_bbr',
  'vfio',
  'vfio_pci_core',
  'vfio_pci',
];

/** Loaded by name, so that a blacklist (which only concerns aliases, modprobe.d(5)) doesn't keep them out. */
const loadedByName = new Set(['tcp_bbr', 'vfio_pci', 'zfs', 'dm_mod', 'dm_crypt']);

export function moduleOf(name: string): KernelModule | undefined {
  return modules.get(name);
}

/** Loaded modules that need `name`. */
export function moduleUsers(name: string, loaded: readonly string[]): string[] {
  return loaded.filter((other) => modules.get(other)?.dependsOn.includes(name) === true);
}

/** Loads what a boot loads, but for what `/etc/modprobe.d` blacklists. */
export async function loadBootModules(machine: EmulatedMachine): Promise<void> {
  if (machine.read().system.kernel.modules.length > 0) return;
  const blacklist = await blacklisted(machine.files);
  await machine.change(({ system }) => {
    for (const name of bootModules) {
      if (!blacklist.has(name) || loadedByName.has(name)) load(name, system.kernel.modules);
    }
  });
}

async function blacklisted(files: Files): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  for (const file of await files.list('/etc/modprobe.d')) {
    const text = await files.readText(`/etc/modprobe.d/${file}`);
    for (const [, name = ''] of text.matchAll(/^\s*blacklist\s+(\S+)/gmu)) names.add(underscored(name));
  }
  return names;
}

function underscored(name: string): string {
  return name.replaceAll('-', '_');
}

function load(name: string, loaded: string[]): void {
  if (loaded.includes(name)) return;
  for (const needed of modules.get(name)?.dependsOn ?? []) load(needed, loaded);
  loaded.push(name);
}

/** modprobe(8): `modprobe [-q] [-a] NAME…`, `modprobe -r NAME…`. */
export const modprobe: Tool = async ({ args, machine }) => {
  const names = args.filter((arg) => !arg.startsWith('-')).map(underscored);
  const options = args.filter((arg) => arg.startsWith('-'));
  const unknown = options.find(
    (option) => !['-r', '--remove', '-q', '--quiet', '-a', '--all', '--'].includes(option),
  );
  if (unknown !== undefined) return failure(`modprobe: ERROR: unrecognized option '${unknown}'`);
  if (names.length === 0) return failure('modprobe: ERROR: missing parameters. See -h.');
  const remove = options.includes('-r') || options.includes('--remove');
  const quiet = options.includes('-q') || options.includes('--quiet');
  // Without -a the words after the first are the module's parameters.
  const wanted = remove || options.includes('-a') || options.includes('--all') ? names : names.slice(0, 1);
  for (const name of wanted) {
    const { release } = machine.read().system.kernel;
    if (!modules.has(name)) {
      return quiet
        ? { exitCode: 1 }
        : failure(`modprobe: FATAL: Module ${name} not found in directory /lib/modules/${release}`);
    }
    const result = await (remove ? unload(name, machine, 'modprobe: FATAL: Module') : insert(name, machine));
    if (result.exitCode !== undefined) return result;
  }
  return {};
};

/** rmmod(8). */
export const rmmod: Tool = async ({ args, machine }) => {
  for (const name of args.map(underscored)) {
    if (name.startsWith('_')) return failure(`rmmod: ERROR: unrecognized option '${name}'`);
    if (!machine.read().system.kernel.modules.includes(name))
      return failure(`rmmod: ERROR: Module ${name} is not currently loaded`);
    const result = await unload(name, machine, 'rmmod: ERROR: Module');
    if (result.exitCode !== undefined) return result;
  }
  return args.length === 0 ? failure('rmmod: ERROR: missing module name.') : {};
};

async function insert(name: string, machine: EmulatedMachine): Promise<ToolResult> {
  await machine.change(({ system }) => load(name, system.kernel.modules));
  if (name === 'zram') await showZram(machine.files);
  return {};
}

async function unload(name: string, machine: EmulatedMachine, complaint: string): Promise<ToolResult> {
  const loaded = machine.read().system.kernel.modules;
  if (!loaded.includes(name)) return {};
  const users = moduleUsers(name, loaded);
  if (users.length > 0) return failure(`${complaint} ${name} is in use by: ${users.join(' ')}`);
  const { swaps } = machine.read().system;
  if ((modules.get(name)?.references ?? 0) > 0 || (name === 'zram' && '/dev/zram0' in swaps))
    return failure(`${complaint} ${name} is in use`);
  await machine.change(({ system }) => {
    system.kernel.modules = system.kernel.modules.filter((other) => other !== name);
  });
  return {};
}
