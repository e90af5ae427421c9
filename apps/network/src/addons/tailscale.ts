/**
 * Tailscale: its daemon as a unit, told by its command line what to be. The programs are no part of the image.
 *
 * What the options of `tailscale up`, `set` and `serve` mean is in cmd/tailscale/cli of Tailscale's source (1.103).
 */
import type { ServiceTailscaleConfig, ServiceTailscaleState } from '@incusos/contracts/addons';
import { type Host, ProgramError } from '@incusos/host';
import { DomainError, type Logger } from '@incusos/service';
import type { Violations } from '../config/violation.ts';
import type { Addon } from './addon.ts';
import { GeneratedUnit, unlimitedStarts } from './generated-unit.ts';
import { installedPrograms } from './installed-programs.ts';
import { withoutSecret, withSecretFile } from './secret-file.ts';
import { checkTailscale } from './tailscale-rules.ts';
import { emptyTailscaleState, parseTailscaleStatus } from './tailscale-status.ts';

/** Where Incus and our own API listen on the machine itself. */
const served = 'https+insecure://localhost:8443';

const statusMs = 5_000;
const logoutMs = 30_000;
/** `up` itself gives up after 30 s. */
const upMs = 60_000;
/** `serve` waits for a person when the tailnet has no HTTPS certificates. */
const serveMs = 5_000;
/** How old a state may be that is shown. */
const staleAfterMs = 1_500;

interface Membership {
  readonly loginServer: string;
  readonly authKey: string;
}

export class Tailscale implements Addon<ServiceTailscaleConfig> {
  private readonly unit: GeneratedUnit;
  /** By what the machine is known to have joined its tailnet; nothing when that isn't known. */
  private membership: Membership | undefined;
  private shown: { readonly at: number; readonly state: Promise<ServiceTailscaleState> } | undefined;

  constructor(
    private readonly host: Host,
    private readonly logger: Logger,
  ) {
    this.unit = new GeneratedUnit(host, 'tailscale.service');
  }

  check(config: ServiceTailscaleConfig): Violations {
    return checkTailscale(config);
  }

  async prepare(): Promise<void> {
    await this.programs();
  }

  async start(config: ServiceTailscaleConfig): Promise<void> {
    const changed = await this.writeUnit(config);
    if (changed && (await this.unit.isActive())) await this.unit.restart();
    else await this.unit.start();
    this.membership = membershipOf(config);
    this.shown = undefined;
  }

  async apply(config: ServiceTailscaleConfig): Promise<void> {
    this.shown = undefined;
    if (await this.writeUnit(config)) await this.unit.restart();
    else await this.unit.start();
    if (await this.mustJoin(config)) await this.join(config);
    await this.configure(config);
    this.shown = undefined;
  }

  async stop(): Promise<void> {
    this.membership = undefined;
    this.shown = undefined;
    await this.unit.remove();
  }

  started(): Promise<boolean> {
    return this.unit.exists();
  }

  /** What the daemon says of itself, at most 2 s old; the empty state while it can't be reached. */
  async state(config: ServiceTailscaleConfig): Promise<ServiceTailscaleState> {
    if (!config.enabled) return emptyTailscaleState();
    if (this.shown === undefined || performance.now() - this.shown.at > staleAfterMs) {
      const state = this.status().catch((error: unknown) => {
        if (isUnreachable(error)) return emptyTailscaleState();
        throw error;
      });
      this.shown = { at: performance.now(), state };
    }
    return this.shown.state;
  }

  private programs(): Promise<readonly [string, string]> {
    return installedPrograms(this.host, ['tailscaled', 'tailscale'], "Tailscale can't be enabled");
  }

  private async writeUnit(config: ServiceTailscaleConfig): Promise<boolean> {
    const [daemon] = await this.programs();
    return this.unit.write(daemonUnit(daemon, config.port));
  }

  private async mustJoin(config: ServiceTailscaleConfig): Promise<boolean> {
    const wanted = membershipOf(config);
    const { membership } = this;
    if (membership?.loginServer !== wanted.loginServer || membership.authKey !== wanted.authKey) return true;
    // An earlier login with this key may never have been completed.
    if (config.auth_key === '') return false;
    const { backend_state } = await this.status().catch(() => emptyTailscaleState());
    return backend_state === 'NeedsLogin';
  }

  private async join(config: ServiceTailscaleConfig): Promise<void> {
    this.membership = undefined;
    await this.tailscale(['logout'], logoutMs);
    const server = config.login_server === '' ? [] : ['--login-server', config.login_server];
    const up = ['up', '--reset', '--timeout', '30s', '--auth-key'];
    if (config.auth_key === '') await this.tailscale([...up, '', ...server], upMs);
    else {
      await withSecretFile(this.host, 'tailscale-auth-key', config.auth_key, (path) =>
        this.tailscale([...up, `file:${path}`, ...server], upMs, config.auth_key),
      );
    }
    this.membership = membershipOf(config);
  }

  private async configure(config: ServiceTailscaleConfig): Promise<void> {
    await this.tailscale([
      'set',
      `--advertise-routes=${config.advertised_routes.join(',')}`,
      `--accept-routes=${config.accept_routes}`,
      `--accept-dns=${config.accept_dns}`,
      `--advertise-exit-node=${config.advertise_exit_node}`,
      `--exit-node=${config.exit_node}`,
      `--exit-node-allow-lan-access=${config.exit_node_allow_lan_access}`,
    ]);
    await this.tailscale(['serve', 'reset']);
    if (!config.serve_enabled) return;
    const service = config.serve_service === '' ? [] : [`--service=${config.serve_service}`];
    await this.tailscale(
      ['serve', '--bg', `--https=${config.serve_port}`, ...service, served],
      serveMs,
    ).catch((error: unknown) => {
      if (!(error instanceof ProgramError) || error.failure !== 'timed-out') throw error;
      throw new DomainError(
        'OPERATION_FAILED',
        'tailscale serve waits for a person: HTTPS certificates have to be enabled for the tailnet first',
        { cause: error },
      );
    });
  }

  private async status(): Promise<ServiceTailscaleState> {
    const { stdout } = await this.host.programs.run(['tailscale', 'status', '--json'], {
      timeoutMs: statusMs,
    });
    return parseTailscaleStatus(stdout);
  }

  private async tailscale(args: readonly string[], timeoutMs = 30_000, secret = ''): Promise<void> {
    try {
      await this.host.programs.run(['tailscale', ...args], { timeoutMs });
    } catch (error) {
      if (!(error instanceof ProgramError)) throw error;
      const text = withoutSecret(error.message, secret);
      this.logger.warn(`tailscale ${args[0] ?? ''} failed`, { error: text });
      if (error.failure === 'timed-out') throw error;
      throw new DomainError('OPERATION_FAILED', text);
    }
  }
}

function membershipOf({ login_server, auth_key }: ServiceTailscaleConfig): Membership {
  return { loginServer: login_server, authKey: auth_key };
}

/** The daemon doesn't run, or doesn't answer in time. */
function isUnreachable(error: unknown): boolean {
  return (
    error instanceof ProgramError &&
    (error.failure === 'timed-out' ||
      error.failure === 'not-found' ||
      error.stderr.includes('ailed to connect to local'))
  );
}

function daemonUnit(daemon: string, port: number): string[] {
  return [
    '[Unit]',
    'Description=Tailscale daemon',
    'After=network.target systemd-resolved.service',
    ...unlimitedStarts,
    '',
    '[Service]',
    // Ready once its socket can be reached.
    'Type=notify',
    `ExecStart=${daemon} --tun=_tailscale0 --port=${port}`,
    `ExecStopPost=${daemon} --cleanup`,
    'Restart=on-failure',
    'RestartSec=2',
    'RuntimeDirectory=tailscale',
    'RuntimeDirectoryMode=0755',
    'StateDirectory=tailscale',
    'StateDirectoryMode=0700',
    'CacheDirectory=tailscale',
    'CacheDirectoryMode=0750',
    'LogLevelMax=notice',
  ];
}
