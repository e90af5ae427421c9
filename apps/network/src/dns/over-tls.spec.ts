import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { enp5s0, NetworkAppliance } from '../testing/network-appliance.ts';

const interfaces = [{ name: 'enp5s0', hwaddr: enp5s0, addresses: ['dhcp4'] }];
const dns = (dns_over_tls: boolean): object => ({ hostname: 'a', nameservers: ['192.0.2.53'], dns_over_tls });
const file = '/run/systemd/resolved.conf.d/60-dns-over-tls.conf';
const marker = '/run/incus-os/resolver.unread';

describe('DNS over TLS', () => {
  let appliance: NetworkAppliance;
  beforeEach(async () => {
    appliance = await NetworkAppliance.started();
  });
  afterEach(() => appliance.remove());

  const resolver = () => appliance.machine.read().system.units['systemd-resolved.service'];

  it('has the resolver look at the certificates of all servers, and not without it', async () => {
    const before = resolver();
    await appliance.set({ interfaces, dns: dns(true) });
    expect(await appliance.file(file)).toBe('[Resolve]\nDNSOverTLS=yes\n');
    expect((await appliance.machine.files.stat(file))?.mode).toBe(0o644);
    const secured = resolver();
    expect(secured).not.toEqual(before);
    await appliance.set({ interfaces, dns: { ...dns(true), hostname: 'b' } });
    expect(resolver()).toEqual(secured);
    await appliance.set({ interfaces, dns: dns(false) });
    expect(await appliance.file(file)).toBeUndefined();
    expect(resolver()).not.toEqual(secured);
  });

  it('is told to a resolver that had not heard of it when the service ended', async () => {
    await appliance.set({ interfaces, dns: dns(true) });
    const before = resolver();
    await appliance.stop();
    await appliance.machine.files.writeAtomic(marker, '');
    await appliance.start();
    await appliance.settled();
    expect(resolver()).not.toEqual(before);
    expect(await appliance.file(marker)).toBeUndefined();
  });
});
