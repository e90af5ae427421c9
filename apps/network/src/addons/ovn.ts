/**
 * OVN: Open vSwitch and the controller that makes this machine a chassis of a southbound database. What the controller
 * is to do stands in Open vSwitch's external ids, which it follows while it runs (ovn-controller(8)).
 */
import type { ServiceOVNConfig } from '@incusos/contracts/addons';
import type { Host } from '@incusos/host';
import { DomainError } from '@incusos/service';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Violations } from '../config/violation.ts';
import type { Addon } from './addon.ts';
import { GeneratedUnit, unitLimitMs, unlimitedStarts } from './generated-unit.ts';
import { checkOvn, hasTls } from './ovn-rules.ts';

/** What the network says of itself to its add-ons. */
export interface OvnSurroundings {
  hostName(): Promise<string>;
  /** The address of the first device with the role, IPv4 before IPv6. */
  addressOf(role: string): Promise<string | undefined>;
}

const vswitchd = 'ovs-vswitchd.service';
const database = 'ovsdb-server.service';
/** Read by Debian's units; the daemons would write files of their own where the journal has the same. */
const optionsFile = '/etc/default/openvswitch-switch';
const options = `OVS_CTL_OPTS='--ovsdb-server-options="-vsyslog:info -vfile:off" --ovs-vswitchd-options="-vsyslog:info -vfile:off"'\n`;

const tlsDirectory = '/run/ovn';
const tlsFiles = {
  'client.crt': 'tls_client_certificate',
  'client.key': 'tls_client_key',
  'ca.crt': 'tls_ca_certificate',
} as const satisfies Record<string, keyof ServiceOVNConfig>;

/** Seconds that ovs-vsctl waits for the daemons to take a change over. */
const settleSeconds = 30;
/** How long the controller may take to sign off from its database. */
const signOffMs = 5_000;
const signOffPollMs = 200;

export class Ovn implements Addon<ServiceOVNConfig> {
  readonly notEnabled = "OVN isn't currently enabled";
  private readonly controller: GeneratedUnit;
  /** The external ids that were set last. */
  private known: string | undefined;

  constructor(
    private readonly host: Host,
    private readonly surroundings: OvnSurroundings,
  ) {
    this.controller = new GeneratedUnit(host, 'ovn-controller.service');
  }

  check(config: ServiceOVNConfig): Violations {
    return checkOvn(config);
  }

  async prepare(config: ServiceOVNConfig): Promise<void> {
    await this.tunnelAddress(config);
  }

  /** After a boot nothing of it is there, and making it again changes nothing that is as wanted. */
  start(config: ServiceOVNConfig): Promise<void> {
    return this.apply(config);
  }

  async apply(config: ServiceOVNConfig): Promise<void> {
    const ids = await this.externalIds(config);
    await this.startSwitch();
    await this.setExternalIds(ids);
    const otherFiles = await this.writeTls(config);
    const otherUnit = await this.controller.write(controllerUnit(hasTls(config)));
    if (otherFiles || otherUnit || !(await this.controller.isActive())) await this.controller.restart();
  }

  async stop(): Promise<void> {
    this.known = undefined;
    await this.signOff();
    await this.controller.remove();
    for (const name of Object.keys(tlsFiles)) await this.host.files.remove(`${tlsDirectory}/${name}`);
    await this.host.programs.run(['systemctl', 'stop', vswitchd, database], { timeoutMs: unitLimitMs });
  }

  started(): Promise<boolean> {
    return this.controller.exists();
  }

  /** Another address of the tunnels or another host name is made known; a start that failed is tried again. */
  async follow(config: ServiceOVNConfig): Promise<void> {
    const ids = await this.externalIds(config);
    if (this.known === JSON.stringify(ids)) return;
    if (this.known === undefined) await this.apply(config);
    else await this.setExternalIds(ids);
  }

  async reset(): Promise<void> {
    await this.host.programs.run(['systemctl', 'restart', this.controller.name, vswitchd], {
      timeoutMs: unitLimitMs,
    });
  }

  private async startSwitch(): Promise<void> {
    const { files, programs } = this.host;
    if ((await files.readText(optionsFile).catch(() => '')) !== options)
      await files.writeAtomic(optionsFile, options);
    await programs.run(['systemctl', 'start', vswitchd], { timeoutMs: unitLimitMs });
  }

  private async externalIds(config: ServiceOVNConfig): Promise<Record<string, string>> {
    return {
      hostname: await this.surroundings.hostName(),
      'ovn-remote': config.database,
      'ovn-encap-type': config.tunnel_protocol === '' ? 'geneve' : config.tunnel_protocol,
      'ovn-encap-ip': await this.tunnelAddress(config),
      'ovn-is-interconn': String(config.ic_chassis ?? false),
    };
  }

  private async setExternalIds(ids: Readonly<Record<string, string>>): Promise<void> {
    this.known = undefined;
    // A quoted value is taken as it is, whatever characters it has (ovs-vsctl(8), Database Values).
    const settings = Object.entries(ids).map(
      ([key, value]) => `external_ids:${key}=${JSON.stringify(value)}`,
    );
    await this.host.programs.run(
      ['ovs-vsctl', `--timeout=${settleSeconds}`, 'set', 'open_vswitch', '.', ...settings],
      { timeoutMs: (settleSeconds + 5) * 1_000 },
    );
    this.known = JSON.stringify(ids);
  }

  private async tunnelAddress({ tunnel_address: given }: ServiceOVNConfig): Promise<string> {
    if (given !== '') return given;
    const address = await this.surroundings.addressOf('cluster');
    if (address === undefined)
      throw new DomainError('PRECONDITION_FAILED', 'no OVN tunnel address available');
    return address;
  }

  /** @returns whether anything was another before. */
  private async writeTls(config: ServiceOVNConfig): Promise<boolean> {
    const { files } = this.host;
    await files.makeDirectory(tlsDirectory, 0o700);
    let changed = false;
    for (const [name, field] of Object.entries(tlsFiles)) {
      const path = `${tlsDirectory}/${name}`;
      const wanted = config[field] ?? '';
      const present = await files.readText(path).catch(() => '');
      if (present === wanted) continue;
      changed = true;
      if (wanted === '') await files.remove(path);
      else await files.writeAtomic(path, wanted, { mode: 0o600 });
    }
    return changed;
  }

  /** Takes the chassis out of the southbound database; one that doesn't answer is left behind there. */
  private async signOff(): Promise<void> {
    if (!(await this.controller.isActive())) return;
    const asked = await this.host.programs.run(['ovn-appctl', '-t', 'ovn-controller', 'exit'], {
      timeoutMs: signOffMs,
      acceptExitCodes: 'any',
    });
    const deadline = performance.now() + signOffMs;
    while (asked.exitCode === 0 && performance.now() < deadline && (await this.controller.isActive()))
      await sleep(signOffPollMs);
  }
}

function controllerUnit(tls: boolean): string[] {
  const certificates = tls
    ? [
        `--private-key=${tlsDirectory}/client.key`,
        `--certificate=${tlsDirectory}/client.crt`,
        `--ca-cert=${tlsDirectory}/ca.crt`,
      ]
    : [];
  const command = [
    '/usr/bin/ovn-controller',
    ...certificates,
    // Standard error, which the journal has, and no second copy by syslog; where ovn-appctl looks for it.
    '-vsyslog:off',
    '--pidfile=/run/ovn/ovn-controller.pid',
    'unix:/run/openvswitch/db.sock',
  ];
  return [
    '[Unit]',
    'Description=Open Virtual Network host control daemon',
    // Guests' networks go before it does, and it goes before the switch and the network.
    `After=network.target ${database} ${vswitchd}`,
    'Before=incus.service',
    ...unlimitedStarts,
    '',
    '[Service]',
    `ExecStart=${command.join(' ')}`,
    // The chassis and its flows stay, for the next start.
    'ExecStop=-/usr/bin/ovn-appctl -t ovn-controller exit --restart',
    'Restart=on-failure',
    'RestartSec=2',
  ];
}
