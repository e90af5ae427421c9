/**
 * Looks for newer releases.
 *
 * Invariants: one check runs at a time; one that someone asked for takes the place of one that nobody waits for; of
 * those at most one is waiting; every check ends with a status that says how it went.
 */
import { HOST, type Host, readTimeZone } from '@incusos/host';
import { hasOperatingSystem, isNewer } from '@incusos/images';
import { detailOf, DomainError, ExclusiveRunner, LOGGER, type Logger } from '@incusos/service';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { readRunningSystem } from '../machine/running-system.ts';
import { weekTime } from '../machine/wall-clock.ts';
import { providerFailure } from '../providers/provider-failure.ts';
import { Providers } from '../providers/providers.service.ts';
import { isAnyOpen } from '../schedule/maintenance-window.ts';
import { UPDATE_STATE, type UpdateStore } from '../state/update-state.ts';
import { statusTexts, UpdateStatus } from './update-status.ts';

/** Why a check is made. Only a periodic one keeps to the maintenance windows, only a user's goes past the cache. */
export type CheckTrigger = 'startup' | 'periodic' | 'user';

@Injectable()
export class UpdateChecks implements OnModuleDestroy {
  readonly status = new UpdateStatus();
  private readonly runner = new ExclusiveRunner();
  private readonly stopping = new AbortController();
  /** The newest check that nobody waits for. */
  private unattended: { readonly interrupt: AbortController; started: boolean } | undefined;

  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(UPDATE_STATE) private readonly store: UpdateStore,
    @Inject(Providers) private readonly providers: Providers,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onModuleDestroy(): void {
    this.stopping.abort(new DomainError('CANCELLED', 'the service stops'));
  }

  /**
   * Checks for someone who waits for the outcome.
   * @throws DomainError OPERATION_FAILED saying why it failed; what `signal` was aborted with.
   */
  async run(signal: AbortSignal): Promise<void> {
    this.interrupt();
    await this.runner.run(() => this.check('user', AbortSignal.any([signal, this.stopping.signal])), signal);
  }

  /** Checks without anyone waiting for the outcome, which is in the status and in the log. Never fails. */
  async runUnattended(trigger: CheckTrigger): Promise<void> {
    // One that hasn't begun will see everything that this one would.
    if (this.unattended?.started === false) return;
    if (trigger === 'user') this.interrupt();
    const interrupt = new AbortController();
    const own = { interrupt, started: false };
    this.unattended = own;
    const work = async (): Promise<void> => {
      own.started = true;
      await this.check(trigger, AbortSignal.any([interrupt.signal, this.stopping.signal]));
    };
    await this.runner.run(work, interrupt.signal).catch(() => undefined);
    if (this.unattended === own) this.unattended = undefined;
  }

  /** One that still waits may as well go on waiting. */
  private interrupt(): void {
    if (this.unattended?.started !== true) return;
    this.unattended.interrupt.abort(new DomainError('CANCELLED', 'another check was asked for'));
  }

  private async check(trigger: CheckTrigger, signal: AbortSignal): Promise<void> {
    const at = new Date();
    this.status.began(at);
    try {
      const { update, provider } = this.store.current;
      const time = weekTime(at, await readTimeZone(this.host.files));
      if (trigger === 'periodic' && !isAnyOpen(update.maintenance_windows, time)) {
        this.status.skipped();
        return;
      }
      const available = await this.checkOs(trigger, signal);
      const now = this.store.current;
      // What was found may belong to a channel or a provider that was left meanwhile.
      const isCurrent = now.provider === provider && now.update.channel === update.channel;
      this.status.completed(isCurrent ? available : '');
    } catch (error) {
      const failure = providerFailure(error);
      const why = failure instanceof DomainError ? failure.message : 'an internal error occurred';
      this.status.failed(statusTexts.osFailed, why);
      const givenUp = failure instanceof DomainError && failure.reason === 'CANCELLED';
      this.logger.log(givenUp ? 'info' : 'error', statusTexts.osFailed, {
        error: failure instanceof DomainError ? why : detailOf(error),
      });
      throw failure;
    }
  }

  /** @returns the version of a newer release; empty when there is none. */
  private async checkOs(trigger: CheckTrigger, signal: AbortSignal): Promise<string> {
    await this.providers.completeRegistration(signal);
    const provider = this.providers.current();
    if (trigger === 'user') provider.clearCache();
    const [{ osName, release: running }, found] = await Promise.all([
      readRunningSystem(this.host),
      provider.newestRelease(signal),
    ]);
    if (found === undefined || !hasOperatingSystem(found)) {
      this.logger.info('no update available', { release: running });
      return '';
    }
    const { version } = found;
    if (isNewer(version, running)) {
      this.logger.info(`${osName} release ${version} is available`, { release: running });
      return version;
    }
    if (version !== running) {
      this.logger.warn(
        `local ${osName} version (${running}) is newer than available update (${version}); skipping`,
      );
    }
    return '';
  }
}
