/**
 * The passphrases with which the operator opens the system's volumes when the TPM doesn't.
 *
 * Invariants: a machine with encrypted volumes has a key in its state before the service is ready, and the volumes get it
 * when their own time has come, be it after a crash; changes run one after another; before a keyslot is touched the state says that keyslots and keys may
 * differ (`keyslots_in_step`), and it says otherwise only when they agree; a change that fails is taken back.
 */
import {
  DomainError,
  ExclusiveRunner,
  type FieldViolation,
  LOGGER,
  type Logger,
  reasonOf,
} from '@incusos/service';
import type { StateStore } from '@incusos/state';
import { commitState, stateFailure } from '@incusos/state-owner';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { SECURITY_STATE, type SecurityState } from '../state/security-state.ts';
import { KeyslotsService } from './keyslots.service.ts';
import { makePassphrase, passphraseJudge } from './passphrase.ts';
import { VolumesService } from './volumes.service.ts';

const field = 'config.encryption_recovery_keys';
/** Of the 32 keyslots of a volume, some belong to the TPM and to this service. */
const maxKeys = 16;

/** What changes together with the keys. */
export interface Alongside {
  /** Makes the machine follow, before the state says so. */
  apply(): Promise<void>;
  /** Undoes {@link Alongside.apply}. */
  revert(): Promise<void>;
  change(state: Readonly<SecurityState>): SecurityState;
}

@Injectable()
export class RecoveryKeysService implements OnModuleDestroy {
  private readonly runner = new ExclusiveRunner();
  private preparation: Promise<void> | undefined;

  constructor(
    @Inject(SECURITY_STATE) private readonly state: StateStore<SecurityState>,
    @Inject(KeyslotsService) private readonly keyslots: KeyslotsService,
    @Inject(VolumesService) private readonly volumes: VolumesService,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onModuleDestroy(): Promise<void> {
    await this.preparation;
  }

  /**
   * Gives a new machine its first key, and begins to have the volumes take it and to finish what a crash interrupted,
   * which takes a minute or more. What fails is logged.
   */
  async start(): Promise<void> {
    await this.ensureKey().catch((error: unknown) => this.reportFailure(error));
    this.preparation = this.runner
      .run(() => this.prepare())
      .catch((error: unknown) => this.reportFailure(error));
  }

  /**
   * Checks a new list of keys; changes nothing.
   * @throws DomainError INVALID_REQUEST, naming the key by its index.
   */
  async check(keys: readonly string[]): Promise<void> {
    if (keys.length === 0)
      throw invalid('no encryption key provided', [{ field, reason: 'at least one key must remain' }]);
    if (keys.length > maxKeys) {
      throw invalid(`at most ${maxKeys} encryption keys can be enrolled`, [
        { field, reason: `at most ${maxKeys} entries` },
      ]);
    }
    const enrolled = new Set(this.state.current.recovery_keys);
    const seen = new Set<string>();
    const judge = keys.every((key) => enrolled.has(key)) ? undefined : await passphraseJudge();
    for (const [index, key] of keys.entries()) {
      const name = `${field}[${index}]`;
      if (seen.has(key))
        throw invalid('provided encryption key is already enrolled', [
          { field: name, reason: 'is there twice' },
        ]);
      seen.add(key);
      const weakness = enrolled.has(key) ? undefined : judge?.(key);
      if (weakness !== undefined)
        throw invalid(`encryption key at index ${index} can't be used: ${weakness}`, [
          { field: name, reason: weakness },
        ]);
    }
  }

  /**
   * Makes these the keys of every volume, together with another change: both or none.
   * @param keys a list that {@link RecoveryKeysService.check} found good.
   */
  replace(keys: readonly string[], alongside: Alongside): Promise<void> {
    return this.runner.run(async () => {
      const before = this.state.current.recovery_keys;
      const add = keys.filter((key) => !before.includes(key));
      const remove = before.filter((key) => !keys.includes(key));
      const touched = add.length > 0 || remove.length > 0;
      if (touched) {
        await this.makeSure();
        await this.commit('recovery keys are about to change', (state) => ({
          ...state,
          keyslots_in_step: false,
        }));
      }
      try {
        if (touched) await this.keyslots.change(add, remove);
        await alongside.apply();
        await this.commit('security configuration changed', (state) => ({
          ...alongside.change(state),
          recovery_keys: keys,
          keyslots_in_step: state.keyslots_in_step || touched,
        }));
      } catch (error) {
        await this.takeBack(touched ? before : undefined, alongside);
        throw stateFailure(error);
      }
    });
  }

  /** Binds every volume to the TPM's present state, while no change of the keys is under way. */
  bindToTpm(): Promise<void> {
    return this.runner.run(() => this.keyslots.bindToTpm());
  }

  /** Lets imported keys take effect on the volumes. */
  adopt(): Promise<void> {
    return this.runner.run(() => this.prepare());
  }

  private async prepare(): Promise<void> {
    if (this.state.problem !== undefined) return;
    if (!(await this.ensureKey())) {
      this.logger.warn('the machine has no encrypted system volumes');
      return;
    }
    const made = await this.keyslots.ensureOwnKeys();
    if (made.length > 0) this.logger.info('encrypted volumes got a recovery key', { volumes: made });
    await this.makeSure();
  }

  /** Makes a key when there is none. @returns whether the machine has volumes to open with it. */
  private async ensureKey(): Promise<boolean> {
    if ((await this.volumes.present()).length === 0) return false;
    if (this.state.problem === undefined && this.state.current.recovery_keys.length === 0) {
      await this.commit('first recovery key', (state) => ({
        ...state,
        recovery_keys: [makePassphrase()],
        recovery_keys_retrieved: false,
        keyslots_in_step: false,
      }));
    }
    return true;
  }

  /** Makes keyslots and keys agree, unless they are known to. */
  private async makeSure(): Promise<void> {
    if (this.state.current.keyslots_in_step) return;
    await this.keyslots.settle(this.state.current.recovery_keys);
    await this.commit('keyslots hold the recovery keys', (state) => ({ ...state, keyslots_in_step: true }));
  }

  private async takeBack(keys: readonly string[] | undefined, alongside: Alongside): Promise<void> {
    try {
      await alongside.revert();
      if (keys === undefined) return;
      await this.keyslots.settle(keys);
      await this.commit('change of the recovery keys taken back', (state) => ({
        ...state,
        keyslots_in_step: true,
      }));
    } catch (error) {
      this.reportFailure(error);
    }
  }

  private async commit(
    reason: string,
    change: (state: Readonly<SecurityState>) => SecurityState,
  ): Promise<void> {
    await commitState(this.state, reason, change);
  }

  private reportFailure(error: unknown): void {
    this.logger.error(
      'the keyslots of the encrypted volumes could not be brought in step with the recovery keys; this is tried again at the next change or start',
      {
        error: reasonOf(error),
      },
    );
  }
}

function invalid(message: string, fields: FieldViolation[]): DomainError {
  return new DomainError('INVALID_REQUEST', message, { fields });
}
