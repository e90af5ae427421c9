import { describe, expect, it } from 'vitest';
import { forEachTest } from '../testing/system-appliance.ts';

const the = forEachTest();

describe('environment', () => {
  it('names the machine by its DMI UUID while no host name is configured', async () => {
    const { environment } = await the.system.getEnvironment({});
    expect(environment).toMatchObject({
      hostname: the.machine.read().system.dmi['product_uuid'],
      machine_id: the.machine.read().system.machine_id,
      os_name: 'IncusOS',
      os_version: '202611120410',
      os_version_next: '202611120410',
      system_is_ready: false,
    });
    expect(environment?.os_version_alternate).toBeUndefined();
    expect(environment?.uptime).toBeGreaterThanOrEqual(0);
  });

  it('shows the release that the next boot takes, and the other one', async () => {
    await the.host.files.writeAtomic('/boot/EFI/Linux/IncusOS_202611200500+3-0.efi', 'newer');
    expect((await the.system.getEnvironment({})).environment).toMatchObject({
      os_version: '202611120410',
      os_version_next: '202611200500',
      os_version_alternate: '202611200500',
    });
  });
});
