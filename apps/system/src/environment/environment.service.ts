/** Who the machine is and what it runs. */
import { NetworkServiceService, type SystemNetworkDNS } from '@incusos/contracts/network';
import { Environment } from '@incusos/contracts/system';
import { type Host, HOST, readOsRelease } from '@incusos/host';
import { connectService, DomainError, type ServiceClient, type ServiceConnection } from '@incusos/service';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { bootImages } from './boot-images.ts';
import { Readiness } from './readiness.ts';

/** How long the root of the API waits for the configured host name. */
const hostnameMs = 1_000;

@Injectable()
export class EnvironmentService implements OnApplicationShutdown {
  private readonly network: ServiceConnection;
  private readonly client: ServiceClient<typeof NetworkServiceService>;

  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(Readiness) private readonly readiness: Readiness,
  ) {
    this.network = connectService('network');
    this.client = this.network.use(NetworkServiceService);
  }

  onApplicationShutdown(): void {
    this.network.close();
  }

  async get(): Promise<Environment> {
    const { files } = this.host;
    const [os, machineId, uptime, images, dns, uuid] = await Promise.all([
      readOsRelease(files),
      this.text('/etc/machine-id'),
      files.readText('/proc/uptime'),
      files.list('/boot/EFI/Linux'),
      this.configuredName(),
      this.text('/sys/class/dmi/id/product_uuid'),
    ]);
    const name = os.get('IMAGE_ID') ?? os.get('NAME') ?? 'IncusOS';
    const running = os.get('IMAGE_VERSION') ?? '';
    const bootable = bootImages(images, name);
    const alternate = bootable.find((image) => image.release !== running)?.release;
    return Environment.create({
      hostname: firstOf(hostname(dns), uuid, machineId, name),
      machine_id: machineId,
      os_name: name,
      os_version: running,
      os_version_next: bootable[0]?.release ?? running,
      ...(alternate === undefined ? {} : { os_version_alternate: alternate }),
      system_is_ready: this.readiness.isReady,
      uptime: Math.floor(Number.parseFloat(uptime)),
    });
  }

  private text(path: string): Promise<string> {
    return this.host.files.readText(path).then(
      (text) => text.trim(),
      () => '',
    );
  }

  private async configuredName(): Promise<SystemNetworkDNS | undefined> {
    try {
      const { network } = await this.client.getNetwork({}, { timeoutMs: hostnameMs, sameAnswer: true });
      return network?.config?.dns;
    } catch (error) {
      // The other names are there even while the network service isn't.
      if (error instanceof DomainError) return undefined;
      throw error;
    }
  }
}

function hostname(dns: SystemNetworkDNS | undefined): string {
  if (dns === undefined || dns.hostname === '') return '';
  return dns.domain === '' ? dns.hostname : `${dns.hostname}.${dns.domain}`;
}

function firstOf(...names: string[]): string {
  return names.find((name) => name !== '') ?? '';
}
