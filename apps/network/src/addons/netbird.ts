/** NetBird: its daemon as a unit, told by its command line what to be. The programs are no part of the image. */
import type { ServiceNetbirdConfig } from '@incusos/contracts/addons';
import { type Host, ProgramError } from '@incusos/host';
import { DomainError } from '@incusos/service';
import type { Violations } from '../config/violation.ts';
import type { Addon } from './addon.ts';
import { GeneratedUnit, unlimitedStarts } from './generated-unit.ts';
import { installedPrograms } from './installed-programs.ts';
import { checkNetbird } from './netbird-rules.ts';
import { withoutSecret, withSecretFile } from './secret-file.ts';

const socket = 'unix:///var/run/netbird.sock';
const downMs = 30_000;
/** `up` tries for 30 s to log in. */
const upMs = 60_000;

/** Switches of `netbird up`, by the field that sets them. */
const switches = {
  anonymize: '--anonymize',
  block_inbound: '--block-inbound',
  block_lan_access: '--block-lan-access',
  disable_client_routes: '--disable-client-routes',
  disable_server_routes: '--disable-server-routes',
  disable_dns: '--disable-dns',
  disable_firewall: '--disable-firewall',
} as const satisfies Partial<Record<keyof ServiceNetbirdConfig, string>>;

type Switch = keyof typeof switches;

export class Netbird implements Addon<ServiceNetbirdConfig> {
  private readonly unit: GeneratedUnit;

  constructor(private readonly host: Host) {
    this.unit = new GeneratedUnit(host, 'netbird.service');
  }

  check(config: ServiceNetbirdConfig): Violations {
    return checkNetbird(config);
  }

  async prepare(): Promise<void> {
    await this.program();
  }

  /** The daemon connects by itself, as it was told last. */
  async start(): Promise<void> {
    await this.unit.write(daemonUnit(await this.program()));
    await this.unit.start();
  }

  async apply(config: ServiceNetbirdConfig): Promise<void> {
    await this.start();
    await this.disconnect();
    await withSecretFile(this.host, 'netbird-setup-key', config.setup_key, (path) =>
      this.netbird(upArguments(config, path), upMs, config.setup_key),
    );
  }

  async stop(): Promise<void> {
    await this.unit.remove();
  }

  started(): Promise<boolean> {
    return this.unit.exists();
  }

  private async disconnect(): Promise<void> {
    await this.netbird(['down'], downMs).catch((error: unknown) => {
      if (!(error instanceof DomainError) || !error.message.includes('service is not up')) throw error;
    });
  }

  private async program(): Promise<string> {
    const [netbird] = await installedPrograms(this.host, ['netbird'], "NetBird can't be enabled");
    return netbird;
  }

  private async netbird(args: readonly string[], timeoutMs: number, secret = ''): Promise<void> {
    try {
      await this.host.programs.run(['netbird', ...args], { timeoutMs });
    } catch (error) {
      if (!(error instanceof ProgramError)) throw error;
      throw new DomainError('OPERATION_FAILED', withoutSecret(error.message, secret));
    }
  }
}

/** @param keyFile holds the setup key, which is no argument. */
function upArguments(config: ServiceNetbirdConfig, keyFile: string): string[] {
  return [
    'up',
    '--no-browser',
    '--setup-key-file',
    keyFile,
    '--management-url',
    config.management_url,
    '--admin-url',
    config.admin_url,
    '--dns-resolver-address',
    config.dns_resolver_address,
    '--external-ip-map',
    config.external_ip_map.join(','),
    '--extra-dns-labels',
    config.extra_dns_labels.join(','),
    // The daemon keeps a switch that isn't mentioned as it was set last.
    ...Object.entries(switches).map(([field, flag]) => (config[field as Switch] ? flag : `${flag}=false`)),
  ];
}

function daemonUnit(program: string): string[] {
  return [
    '[Unit]',
    'Description=NetBird mesh network client',
    'After=network.target systemd-resolved.service',
    ...unlimitedStarts,
    '',
    '[Service]',
    `ExecStart=${program} service run --log-level info --log-file console --daemon-addr ${socket}`,
    'StateDirectory=netbird',
    'StateDirectoryMode=0700',
    'Restart=on-failure',
    'RestartSec=5',
  ];
}
