/**
 * Whether the machine may be trusted.
 *
 * Invariant: once the machine was found untrusted a file says so, and nothing here removes it: what happened in that
 * time can't be undone by putting the settings right.
 */
import { HOST, type Host } from '@incusos/host';
import { LOGGER, type Logger } from '@incusos/service';
import type { StateStore } from '@incusos/state';
import { Inject, Injectable } from '@nestjs/common';
import { FirmwareService } from '../firmware/firmware.service.ts';
import { SECURITY_STATE, type SecurityState } from '../state/security-state.ts';

const fuse = '/etc/incusos-trusted-fuse-blown';
/** The door to a host that runs this machine as its guest. */
const guestChannel = '/dev/virtio-ports/org.linuxcontainers.incus';
/** With it the host may run programs in here. */
const agentCredential = '/run/credentials/@system/fully-enable-incus-agent';

export interface Trust {
  readonly trusted: boolean;
  readonly status: string;
}

@Injectable()
export class TrustFuseService {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(SECURITY_STATE) private readonly state: StateStore<SecurityState>,
    @Inject(FirmwareService) private readonly firmware: FirmwareService,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Looks for reasons not to trust the machine, and remembers them. */
  async start(): Promise<void> {
    const { files } = this.host;
    const [guest, credential] = await Promise.all([
      files.exists(guestChannel),
      files.exists(agentCredential),
    ]);
    if (
      guest &&
      credential &&
      !this.state.current.guest_agent_was_enabled &&
      this.state.problem === undefined
    ) {
      await this.state.commit('the guest agent is fully enabled', (state) => ({
        ...state,
        guest_agent_was_enabled: true,
      }));
    }
    const issues = await this.issues();
    if (issues.length === 0) return;
    this.logger.warn(`degraded security state: ${issues.join(', ')}`);
    if (!(await files.exists(fuse))) await files.writeAtomic(fuse, '');
  }

  async judge(): Promise<Trust> {
    const [issues, blown] = await Promise.all([this.issues(), this.host.files.exists(fuse)]);
    if (issues.length > 0) return { trusted: false, status: issues.join(', ') };
    return blown
      ? { trusted: false, status: 'no current issues, but system was previously in an untrusted state' }
      : { trusted: true, status: 'system state is fully trusted' };
  }

  private async issues(): Promise<string[]> {
    const { softwareTpm, secureBoot } = await this.firmware.snapshot();
    return [
      ...(softwareTpm ? ['using swtpm'] : []),
      ...(secureBoot ? [] : ['Secure Boot is disabled']),
      ...(this.state.current.guest_agent_was_enabled ? ['incus-agent is/was fully enabled'] : []),
    ];
  }
}
