import { AddonHostService } from '@incusos/contracts/addons';
import { StateOwnerService, type StateFile } from '@incusos/contracts/state';
import { SystemKernelConfig } from '@incusos/contracts/system';
import { describe, expect, it } from 'vitest';
import { selfSigned } from './testing/self-signed.ts';
import { forEachTest } from './testing/system-appliance.ts';

const the = forEachTest();

describe('the system service', () => {
  it('names the devices that show the screen, those of the configuration among them', async () => {
    expect(await the.system.getConsoles({})).toEqual({ devices: ['tty1'] });
    await the.setKernel({ console: [{ device: 'ttyS1' }] });
    expect(await the.system.getConsoles({})).toEqual({ devices: ['tty1', 'ttyS1'] });
  });

  it('offers usbip with its defaults', async () => {
    const addons = the.connection.use(AddonHostService);
    expect(await addons.listAddons({})).toEqual({ names: ['usbip'] });
    expect(await addons.getAddon({ name: 'usbip' })).toEqual({
      addon: { $case: 'usbip', value: { config: { enabled: false, targets: [] }, state: {} } },
    });
    await expect(addons.getAddon({ name: 'lvm' })).rejects.toMatchObject({ reason: 'NOT_FOUND' });
    await expect(addons.setAddonConfig({ name: 'usbip', config: undefined })).rejects.toMatchObject({
      reason: 'NOT_IMPLEMENTED',
    });
    await expect(addons.resetAddon({ name: 'usbip' })).rejects.toThrow(
      "reset isn't supported by this service",
    );
  });

  it('gives up its configuration and takes it back, with its key', async () => {
    const owner = the.connection.use(StateOwnerService);
    const { certificate, key } = await selfSigned();
    await the.setLogging({
      journal_upload: { url: 'https://a', tls_client_certificate: certificate, tls_client_key: key },
    });
    await the.setKernel({ memory: { persistent_hugepages: 5 } });
    const files: (StateFile | undefined)[] = [];
    for await (const { file } of owner.exportState({})) files.push(file);
    expect(files.map((file) => file?.name).toSorted()).toEqual([
      expect.stringMatching(/^journal-upload-.*\.key$/u),
      'state.json',
    ]);
    await the.setKernel({});
    await the.setLogging({});
    const stage = async function* (): AsyncGenerator<{
      restore_id: string;
      skip: string[];
      file: (typeof files)[number];
      schema_version: number;
    }> {
      for (const file of files) yield { restore_id: 'r1', skip: [], file, schema_version: 1 };
    };
    await owner.stageImport(stage());
    expect(await the.text('/proc/sys/vm/nr_hugepages')).toBe('0');
    await owner.commitImport({ restore_id: 'r1' });
    expect(await the.text('/proc/sys/vm/nr_hugepages')).toBe('5');
    expect((await the.system.getLogging({})).logging?.config?.journal_upload?.tls_client_key).toBe(key);
    expect(the.machine.read().system.units['systemd-journal-upload.service']?.active).toBe('active');
    await owner.resetState({});
    expect((await the.system.getKernel({})).kernel?.config).toEqual(SystemKernelConfig.create());
  });
});
