/** The emulated `smartctl`, JSON form (smartmontools 7.4). A drive that failed says so. */
import { type Tool, failure } from '../../tools/tool.ts';
import { findDevice } from '../devices.ts';
import { parseOptions } from '../options.ts';
import type { Drive, DriveBus } from '../section.ts';

/** Bits of the exit status (smartctl(8)): the disk says that it is failing. */
const failingBit = 8;

export const smartctl: Tool = ({ args, machine }) => {
  const options = parseOptions(args, 'aijHd:', ['json', 'all', 'info', 'health']);
  if (options.unknown !== undefined)
    return {
      exitCode: 1,
      stdout: `\n=======> UNRECOGNIZED OPTION: ${options.unknown}\n\nUse smartctl -h to get a usage summary\n\n`,
    };
  const [path = ''] = options.operands;
  if (!options.flags.has('j') && !options.flags.has('json'))
    return failure('the emulated machine prints JSON only, use -j');
  const head = {
    json_format_version: [1, 0],
    smartctl: {
      version: [7, 4],
      pre_release: false,
      svn_revision: '5530',
      platform_info: `x86_64-linux-${machine.read().system.kernel.release}`,
      build_info: '(local build)',
      argv: ['smartctl', ...args],
    },
  };
  const device = findDevice(machine.read().storage, path);
  if (device === undefined) {
    const messages = [{ string: `Smartctl open device: ${path} failed: No such device`, severity: 'error' }];
    return {
      exitCode: 2,
      stdout: print({
        ...head,
        smartctl: { ...head.smartctl, messages, exit_status: 2 },
        local_time: localTime(),
      }),
    };
  }
  const { drive } = device;
  const { bus } = drive;
  if (bus === 'virtio') {
    const messages = [{ string: `${path}: Unable to detect device type`, severity: 'error' }];
    const smartctl = { ...head.smartctl, messages, exit_status: 1 };
    return { exitCode: 1, stdout: print({ ...head, smartctl, local_time: localTime() }) };
  }
  const exitCode = drive.failed
    ? failingBit
    : drive.wwn === undefined && drive.serial === 'incus_root'
      ? 4
      : 0;
  return {
    exitCode,
    stdout: print({
      ...head,
      smartctl: { ...head.smartctl, exit_status: exitCode },
      local_time: localTime(),
      ...describe(drive, bus, path),
    }),
  };
};

function localTime(): Record<string, unknown> {
  return { time_t: Math.floor(Date.now() / 1000), asctime: new Date().toUTCString() };
}

function print(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

const types = {
  scsi: ['scsi', 'SCSI'],
  sata: ['sat', 'ATA'],
  usb: ['sat', 'ATA'],
  nvme: ['nvme', 'NVMe'],
} as const;

/** Buses whose drives smartctl can ask. */
type Known = Exclude<DriveBus, 'virtio'>;

function describe(drive: Drive, bus: Known, path: string): Record<string, unknown> {
  const [type, protocol] = types[bus];
  const common = {
    device: { name: path, info_name: path, type, protocol },
    user_capacity: { blocks: drive.size_bytes / 512, bytes: drive.size_bytes },
    logical_block_size: 512,
  };
  const scsi = {
    scsi_vendor: drive.vendor,
    scsi_product: drive.model,
    scsi_model_name: `${drive.vendor} ${drive.model}`,
    scsi_revision: '2.5+',
    scsi_version: 'SPC-3',
    rotation_rate: 0,
    ...(drive.wwn === undefined ? {} : { logical_unit_id: drive.wwn }),
    device_type: { scsi_terminology: 'Peripheral Device Type [PDT]', scsi_value: 0, name: 'disk' },
  };
  // QEMU's SCSI disk, which the system disk is, has no SMART.
  if (drive.serial === 'incus_root') {
    return {
      ...common,
      ...scsi,
      smart_support: { available: false },
      temperature: { current: 0, drive_trip: 0 },
    };
  }
  const health = {
    smart_support: { available: true, enabled: true },
    smart_status: { passed: !drive.failed },
    power_on_time: { hours: drive.power_on_hours },
    temperature: { current: drive.failed ? 58 : 34 },
  };
  switch (bus) {
    case 'nvme':
      return {
        ...common,
        model_name: drive.model,
        serial_number: drive.serial,
        firmware_version: '10.0.13',
        ...health,
        smart_status: { passed: !drive.failed, nvme: { value: drive.failed ? 4 : 0 } },
        power_cycle_count: 12,
        nvme_smart_health_information_log: {
          critical_warning: drive.failed ? 4 : 0,
          temperature: drive.failed ? 58 : 34,
          available_spare: drive.failed ? 3 : 100,
          available_spare_threshold: 10,
          percentage_used: drive.failed ? 104 : 2,
          data_units_read: 184_320,
          data_units_written: 92_160,
          power_cycles: 12,
          power_on_hours: drive.power_on_hours,
          media_errors: drive.failed ? 317 : 0,
        },
      };
    case 'scsi':
      return {
        ...common,
        ...scsi,
        serial_number: drive.serial,
        ...health,
        temperature: { ...health.temperature, drive_trip: 70 },
      };
    case 'sata':
    case 'usb':
      return {
        ...common,
        model_family: 'Emulated drives',
        model_name: drive.model,
        serial_number: drive.serial,
        firmware_version: '2.5+',
        physical_block_size: 512,
        ...health,
        ata_smart_attributes: {
          revision: 16,
          table: [
            attribute(1, 'Raw_Read_Error_Rate', drive.failed ? 90_211 : 12),
            attribute(5, 'Reallocated_Sector_Ct', drive.failed ? 3_968 : 0),
            attribute(7, 'Seek_Error_Rate', drive.failed ? 512 : 3),
            attribute(9, 'Power_On_Hours', drive.power_on_hours),
          ],
        },
      };
  }
}

function attribute(id: number, name: string, raw: number): Record<string, unknown> {
  return {
    id,
    name,
    value: 100,
    worst: 100,
    thresh: 10,
    when_failed: '',
    raw: { value: raw, string: String(raw) },
  };
}
