import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listDrives, parseDrives } from './drives/lsblk.ts';
import { parseDatasets } from './pools/datasets.ts';
import { parseStatus } from './pools/zpool-status.ts';
import { integerOf, parseProgramJson } from './program-json.ts';

const size = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });

describe('sizes in the output of programs', () => {
  it('are exact over all 64 bits, as numbers and as digits', () => {
    fc.assert(
      fc.property(size, (bytes) => {
        expect(integerOf(parseProgramJson(`${bytes}`))).toBe(bytes);
        expect(integerOf(parseProgramJson(`"${bytes}"`))).toBe(bytes);
      }),
    );
  });

  it('are exact for drives', () => {
    expect(listDrives).toContain('-JMpdb');
    const output = `{"blockdevices": [{"kname": "/dev/sdb", "size": 9223372036854775296}]}`;
    expect(parseDrives(output)[0]?.size).toBe(9223372036854775296n);
  });

  it('are exact for quotas', () => {
    const output = `{"datasets": {"local/a": {"properties": {"quota": {"value": 9223372036854775807}}}}}`;
    expect(parseDatasets(output)[0]?.quota).toBe(9223372036854775807n);
  });

  it('are exact for pools', () => {
    const vdev = `{"vdev_type": "disk", "state": "ONLINE", "total_space": 9007199254740993}`;
    const output = `{"pools": {"p": {"state": "ONLINE", "vdevs": {"p": {"vdevs": {"sdb": ${vdev}}}}}}}`;
    expect(parseStatus(output)[0]?.groups[0]?.totalSpace).toBe(9007199254740993n);
  });

  it.each([null, true, -0.5, 'x', '-1', '1e3', {}, Number.NaN])('are 0 where there is none: %s', (value) => {
    expect(integerOf(value)).toBe(0n);
  });
});
