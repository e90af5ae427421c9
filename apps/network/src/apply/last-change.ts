/** What became of the last change, for whoever asks later: kept over restarts, and never a reason to fail. */
import { SystemNetworkChange } from '@incusos/contracts/network';
import type { Host } from '@incusos/host';
import { type Logger, reasonOf } from '@incusos/service';
import { stateDirectory } from '../network-state.ts';

const path = `${stateDirectory}/last-change.json`;

export type Outcome = 'applied' | 'unconfirmed' | 'rolled-back';

export class LastChange {
  private change: SystemNetworkChange | undefined;

  constructor(
    private readonly host: Host,
    private readonly logger: Logger,
  ) {}

  /** Another object after each change. */
  get current(): SystemNetworkChange | undefined {
    return this.change;
  }

  /** Reads what an earlier run of the service left. */
  async load(): Promise<void> {
    try {
      if (!(await this.host.files.exists(path))) return;
      const value: unknown = JSON.parse(await this.host.files.readText(path));
      if (isChange(value)) this.change = SystemNetworkChange.fromPartial(value);
    } catch (error) {
      this.logger.warn('what became of the last change of the network can not be read', {
        error: reasonOf(error),
      });
    }
  }

  async remember(
    outcome: Outcome,
    details: { readonly reason?: string; readonly deadline?: string } = {},
  ): Promise<void> {
    this.change = SystemNetworkChange.create({ outcome, time: new Date().toISOString(), ...details });
    await this.host.files
      .writeAtomic(path, `${JSON.stringify(this.change)}\n`, { mode: 0o600 })
      .catch((error: unknown) => {
        this.logger.warn('what became of the change of the network could not be recorded', {
          error: reasonOf(error),
        });
      });
  }
}

function isChange(value: unknown): value is Partial<SystemNetworkChange> {
  if (typeof value !== 'object' || value === null || !('outcome' in value) || !('time' in value))
    return false;
  const { outcome, time } = value;
  const optional = ['reason', 'deadline'].every(
    (key) => !(key in value) || typeof (value as Record<string, unknown>)[key] === 'string',
  );
  return typeof outcome === 'string' && typeof time === 'string' && optional;
}
