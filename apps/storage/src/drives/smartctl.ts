/** What `smartctl -aj` says of a drive's health (smartctl(8), smartmontools 7). */
import { SystemStorageDriveSMART } from '@incusos/contracts/storage';
import { reasonOf } from '@incusos/service';

export interface DriveHealth {
  readonly modelFamily: string;
  readonly modelName: string;
  readonly serialNumber: string;
  readonly bus: string;
  /** Absent when the drive has no SMART. */
  readonly smart: SystemStorageDriveSMART | undefined;
}

export function smartArgv(node: string): [string, ...string[]] {
  return ['smartctl', '-aj', node];
}

type Fields = Readonly<Record<string, unknown>>;

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Values are set when they are above zero. */
function counted(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

function counter(value: unknown): bigint | undefined {
  const number = counted(value);
  return number === undefined ? undefined : BigInt(number);
}

/** Reads the output; the exit code says nothing that it doesn't. */
export function parseSmartctl(output: string): DriveHealth {
  if (output.trim() === '')
    return { modelFamily: '', modelName: '', serialNumber: '', bus: '', smart: undefined };
  let parsed: Fields;
  try {
    parsed = fields(JSON.parse(output));
  } catch (error) {
    const why = reasonOf(error);
    const smart = SystemStorageDriveSMART.create({ error: `Bad SMART data from drive: ${why}` });
    return { modelFamily: '', modelName: '', serialNumber: '', bus: '', smart };
  }
  const type = text(fields(parsed['device'])['type']);
  return {
    modelFamily: text(parsed['model_family']) || text(parsed['scsi_vendor']),
    modelName: text(parsed['model_name']) || text(parsed['scsi_product']),
    serialNumber: text(parsed['serial_number']),
    bus: type === 'sat' ? 'sata' : type,
    smart: readSmart(parsed),
  };
}

function readSmart(parsed: Fields): SystemStorageDriveSMART | undefined {
  const support = fields(parsed['smart_support']);
  if (support['available'] !== true) return undefined;
  const log = fields(parsed['nvme_smart_health_information_log']);
  const attributes = ataAttributes(parsed);
  return SystemStorageDriveSMART.create({
    enabled: support['enabled'] === true,
    passed: fields(parsed['smart_status'])['passed'] === true,
    power_on_hours: counted(fields(parsed['power_on_time'])['hours']),
    temperature_celsius: counted(fields(parsed['temperature'])['current']),
    data_units_read: counter(log['data_units_read']),
    data_units_written: counter(log['data_units_written']),
    available_spare: counted(log['available_spare']),
    percentage_used: counted(log['percentage_used']),
    raw_read_error_rate: counter(attributes.get('Raw_Read_Error_Rate')),
    seek_error_rate: counter(attributes.get('Seek_Error_Rate')),
    reallocated_sectors: counter(attributes.get('Reallocated_Sector_Ct')),
  });
}

function ataAttributes(parsed: Fields): Map<string, unknown> {
  const table = fields(parsed['ata_smart_attributes'])['table'];
  if (!Array.isArray(table)) return new Map();
  return new Map(
    table.map(fields).map((attribute) => [text(attribute['name']), fields(attribute['raw'])['value']]),
  );
}
