/** The system section of a machine description: identity, processors, kernel, power, units. */
import { randomUUID } from 'node:crypto';
import { defaultPci, defaultUsb, type PciDevice, type UsbDevice } from './hardware.ts';
import { installedRelease } from './release.ts';

/** `rebooting` and `powering-off` are requests of the operating system that nobody carried out yet. */
export type PowerState = 'on' | 'off' | 'rebooting' | 'powering-off' | 'suspended';

export interface Power {
  state: PowerState;
  /** UUID of the present boot; changes with every power-on. */
  boot_id: string;
  /** RFC 3339; when the kernel started. */
  booted_at: string;
  /** How often the machine was switched on. */
  boots: number;
}

/** A unit as systemd shows it. */
export interface UnitStatus {
  readonly active: 'active' | 'inactive' | 'failed';
  readonly sub: string;
  /** RFC 3339. */
  readonly since?: string;
  readonly pid?: number;
}

export interface Cpu {
  readonly vendor: string;
  readonly model: string;
  readonly sockets: number;
  readonly cores: number;
  readonly threads: number;
  /** kHz, as cpufreq has them. */
  readonly frequency: { readonly minimum: number; readonly maximum: number };
  /** cpufreq governors; none = no frequency scaling, as in most virtual machines. */
  readonly governors: readonly string[];
  readonly flags: readonly string[];
}

/** A file below `/sys/class/dmi/id` → its content. */
export type Dmi = Readonly<Record<string, string>>;

/** An application whose image is on the disk when the machine is made. */
export interface ShippedApplication {
  readonly name: string;
  /** What its own `--version` says. */
  readonly version: string;
}

export interface SystemSection {
  power: Power;
  /** Units that were started or failed since power-on. */
  units: Record<string, UnitStatus>;
  /** What `systemctl enable` and `disable` changed. */
  enabled_units: Record<string, boolean>;
  next_pid: number;
  /** 32 hexadecimal digits. */
  machine_id: string;
  dmi: Dmi;
  os: { name: string; /** The running one. */ release: string; applications: readonly ShippedApplication[] };
  kernel: { release: string; /** Modules loaded now, in the order in which they came. */ modules: string[] };
  cpu: Cpu;
  /** Bytes. */
  memory: number;
  pci: PciDevice[];
  usb: UsbDevice[];
  /** Swap in use: device → size in KiB and priority. */
  swaps: Record<string, { size: number; priority: number }>;
}

const flags =
  'fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 ss syscall nx pdpe1gb rdtscp lm ' +
  'constant_tsc arch_perfmon rep_good nopl xtopology cpuid tsc_known_freq pni pclmulqdq vmx ssse3 fma cx16 pcid sse4_1 sse4_2 x2apic ' +
  'movbe popcnt tsc_deadline_timer aes xsave avx f16c rdrand hypervisor lahf_lm abm 3dnowprefetch fsgsbase tsc_adjust bmi1 avx2 smep ' +
  'bmi2 erms invpcid rdseed adx smap clflushopt clwb xsaveopt xsavec xgetbv1 xsaves arat umip arch_capabilities';

export function defaultSystem(): SystemSection {
  const uuid = randomUUID();
  return {
    power: { state: 'off', boot_id: randomUUID(), booted_at: '1970-01-01T00:00:00.000Z', boots: 0 },
    units: {},
    enabled_units: {},
    next_pid: 310,
    machine_id: randomUUID().replaceAll('-', ''),
    dmi: {
      sys_vendor: 'QEMU',
      product_name: 'Standard PC (Q35 + ICH9, 2009)',
      product_version: 'pc-q35-10.0',
      product_uuid: uuid,
      product_family: '',
      product_sku: '',
      product_serial: '',
      bios_vendor: 'EDK II',
      bios_version: '2025.02-8',
      bios_date: '02/02/2022',
      board_vendor: 'LinuxContainers',
      board_name: 'Incus',
      board_version: 'pc-q35-10.0',
      board_serial: '',
      chassis_vendor: 'QEMU',
      chassis_type: '1',
      chassis_version: 'pc-q35-10.0',
      chassis_serial: '',
    },
    os: { name: 'IncusOS', release: installedRelease, applications: [{ name: 'incus', version: '7.0.2' }] },
    kernel: { release: '6.12.57+deb13-amd64', modules: [] },
    cpu: {
      vendor: 'GenuineIntel',
      model: 'Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz',
      sockets: 1,
      cores: 4,
      threads: 1,
      frequency: { minimum: 1_000_000, maximum: 3_900_000 },
      governors: ['performance', 'powersave', 'schedutil'],
      flags: flags.split(' '),
    },
    memory: 8 * 1024 ** 3,
    pci: defaultPci(),
    usb: defaultUsb(),
    swaps: {},
  };
}
