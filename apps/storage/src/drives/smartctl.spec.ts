import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSmartctl } from './smartctl.ts';

describe('the output of smartctl', () => {
  it('of an ATA drive gives its attributes', () => {
    const output = JSON.stringify({
      device: { name: '/dev/sdb', type: 'sat', protocol: 'ATA' },
      model_family: 'Western Digital Red',
      model_name: 'WDC WD40EFZX-68AWUN0',
      serial_number: 'WD-WX32D',
      smart_support: { available: true, enabled: true },
      smart_status: { passed: true },
      power_on_time: { hours: 8123 },
      temperature: { current: 36 },
      ata_smart_attributes: {
        table: [
          { id: 1, name: 'Raw_Read_Error_Rate', raw: { value: 0, string: '0' } },
          { id: 5, name: 'Reallocated_Sector_Ct', raw: { value: 8, string: '8' } },
          { id: 7, name: 'Seek_Error_Rate', raw: { value: 4_294_967_296, string: '4294967296' } },
        ],
      },
    });
    const { smart, ...drive } = parseSmartctl(output);
    expect(drive).toEqual({
      bus: 'sata',
      modelFamily: 'Western Digital Red',
      modelName: 'WDC WD40EFZX-68AWUN0',
      serialNumber: 'WD-WX32D',
    });
    expect(smart).toMatchObject({
      enabled: true,
      passed: true,
      power_on_hours: 8123,
      temperature_celsius: 36,
      reallocated_sectors: 8n,
      seek_error_rate: 4_294_967_296n,
    });
    expect(smart?.raw_read_error_rate).toBeUndefined();
  });

  it('of an NVMe drive gives its health log', () => {
    const output = JSON.stringify({
      device: { type: 'nvme' },
      model_name: 'Samsung SSD 990 PRO 2TB',
      smart_support: { available: true, enabled: true },
      smart_status: { passed: false },
      nvme_smart_health_information_log: {
        available_spare: 100,
        percentage_used: 0,
        data_units_read: 184_320,
        data_units_written: 92_160,
      },
    });
    expect(parseSmartctl(output).smart).toMatchObject({
      passed: false,
      available_spare: 100,
      data_units_read: 184_320n,
      data_units_written: 92_160n,
      percentage_used: undefined,
    });
  });

  it('of a SCSI drive without SMART gives vendor and product', () => {
    const output = JSON.stringify({
      device: { type: 'scsi' },
      scsi_vendor: 'QEMU',
      scsi_product: 'QEMU HARDDISK',
      smart_support: { available: false },
    });
    expect(parseSmartctl(output)).toMatchObject({
      bus: 'scsi',
      modelFamily: 'QEMU',
      modelName: 'QEMU HARDDISK',
      smart: undefined,
    });
  });

  it('that is empty leaves everything empty', () => {
    expect(parseSmartctl('')).toEqual({
      bus: '',
      modelFamily: '',
      modelName: '',
      serialNumber: '',
      smart: undefined,
    });
  });

  it('that is no JSON is bad SMART data, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (text) => {
        const read = parseSmartctl(`<${text}`);
        expect(read.smart?.error).toMatch(/^Bad SMART data from drive: /u);
      }),
    );
    fc.assert(fc.property(fc.json(), (text) => parseSmartctl(text).bus.length >= 0));
  });
});
