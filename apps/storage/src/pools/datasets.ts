/** Reads `zfs list` and knows the properties that pools and volumes are made with. */
import { integerOf, parseProgramJson } from '../program-json.ts';

/** Every pool and its first level of datasets, with all that is shown of them. */
export const readDatasets = [
  'zfs',
  'list',
  '-d',
  '1',
  '-p',
  '-o',
  'name,quota,used,incusos:use,keystatus,special_small_blocks',
  '-j',
  '--json-int',
] as const;

export interface Dataset {
  readonly name: string;
  readonly used: bigint;
  /** Bytes; 0 for none. */
  readonly quota: bigint;
  /** `-` when it isn't set. */
  readonly use: string;
  /** `available`, `unavailable`, or `-` without encryption. */
  readonly keyStatus: string;
  readonly smallBlocksKiB: number;
}

type Fields = Readonly<Record<string, unknown>>;

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function kibibytes(value: unknown): number {
  if (typeof value === 'string') {
    const match = /^(\d+)([KM])$/u.exec(value);
    if (match !== null) return Number(match[1]) * (match[2] === 'M' ? 1024 : 1);
  }
  return Number(integerOf(value) / 1024n);
}

/** @throws SyntaxError when it isn't JSON. */
export function parseDatasets(output: string): Dataset[] {
  return Object.entries(fields(fields(parseProgramJson(output))['datasets'])).map(([name, value]) => {
    const properties = fields(fields(value)['properties']);
    const property = (key: string): unknown => fields(properties[key])['value'];
    const textual = (key: string): string => {
      const found = property(key);
      return typeof found === 'string' || typeof found === 'number' ? String(found) : '-';
    };
    return {
      name,
      used: integerOf(property('used')),
      quota: integerOf(property('quota')),
      use: textual('incusos:use'),
      keyStatus: textual('keystatus'),
      smallBlocksKiB: kibibytes(property('special_small_blocks')),
    };
  });
}
