/**
 * The record of a change that isn't final: on disk before the first file is touched, gone once the change was kept or
 * taken back. Whoever finds it at start knows that the configuration in the state file is the one to return to.
 */
import { SystemNetworkConfig } from '@incusos/contracts/network';
import type { Host } from '@incusos/host';
import { type CardNames, readCardNames, stateDirectory } from '../network-state.ts';

export interface PendingRecord {
  /** `applying` until the network came up, `unconfirmed` while somebody has to confirm it. */
  readonly phase: 'applying' | 'unconfirmed';
  readonly config: SystemNetworkConfig;
  /** As the cards were called before they were renamed for it. */
  readonly cardNames: CardNames;
  /** The kernel's id of the boot in which it was made; a later boot takes the change back. */
  readonly bootId: string;
  /** Absent when no confirmation is needed. */
  readonly confirmation?: Confirmation;
}

/** When the previous configuration comes back by itself. */
export interface Confirmation {
  /** Milliseconds that were given. */
  readonly timeoutMs: number;
  /** Milliseconds since the machine was switched on: what counts, since the time of day may be set meanwhile. */
  readonly uptimeMs: number;
  /** RFC 3339; for people. */
  readonly deadline: string;
}

const path = `${stateDirectory}/pending.json`;

export class PendingFile {
  constructor(private readonly host: Host) {}

  /** A record as of now. */
  async begin(
    what: Pick<PendingRecord, 'config' | 'cardNames'>,
    timeoutMs: number | undefined,
  ): Promise<PendingRecord> {
    const [bootId, uptimeMs] = await Promise.all([this.bootId(), this.uptimeMs()]);
    const record = { phase: 'applying', ...what, bootId } as const;
    if (timeoutMs === undefined) return record;
    const deadline = new Date(Date.now() + timeoutMs).toISOString();
    return { ...record, confirmation: { timeoutMs, uptimeMs: uptimeMs + timeoutMs, deadline } };
  }

  async write(record: PendingRecord): Promise<void> {
    await this.host.files.writeAtomic(path, `${JSON.stringify({ format: 2, ...record })}\n`, { mode: 0o600 });
  }

  async remove(): Promise<void> {
    await this.host.files.remove(path);
  }

  /**
   * The record that an earlier run of the service left; `'unusable'` for one that can't be read, which also means that
   * a change was under way.
   */
  async read(): Promise<PendingRecord | 'unusable' | undefined> {
    if (!(await this.host.files.exists(path))) return undefined;
    try {
      return parse(JSON.parse(await this.host.files.readText(path)));
    } catch {
      return 'unusable';
    }
  }

  /** Milliseconds in which the change can still be confirmed; 0 when it has to be taken back. */
  async timeLeft({ phase, bootId, confirmation }: PendingRecord): Promise<number> {
    if (phase !== 'unconfirmed' || confirmation === undefined || !(await this.isOfThisBoot({ bootId })))
      return 0;
    const left = confirmation.uptimeMs - (await this.uptimeMs());
    return Math.max(0, Math.min(left, confirmation.timeoutMs));
  }

  async isOfThisBoot({ bootId }: Pick<PendingRecord, 'bootId'>): Promise<boolean> {
    return bootId === (await this.bootId());
  }

  private async bootId(): Promise<string> {
    return (await this.host.files.readText('/proc/sys/kernel/random/boot_id').catch(() => '')).trim();
  }

  /** Its first number counts the seconds since power-on, those of a suspended machine included (proc_uptime(5)). */
  private async uptimeMs(): Promise<number> {
    return Math.round(Number.parseFloat(await this.host.files.readText('/proc/uptime')) * 1000);
  }
}

function parse(value: unknown): PendingRecord | 'unusable' {
  if (!isObject(value) || value['format'] !== 2) return 'unusable';
  const { phase, config, cardNames, bootId, confirmation } = value;
  if (phase !== 'applying' && phase !== 'unconfirmed') return 'unusable';
  if (!isObject(config) || !isObject(cardNames) || typeof bootId !== 'string') return 'unusable';
  const record: PendingRecord = {
    phase,
    config: SystemNetworkConfig.fromPartial(config),
    cardNames: readCardNames(cardNames),
    bootId,
  };
  if (!isObject(confirmation)) return record;
  const { timeoutMs, uptimeMs, deadline } = confirmation;
  if (typeof timeoutMs !== 'number' || typeof uptimeMs !== 'number' || typeof deadline !== 'string')
    return 'unusable';
  return { ...record, confirmation: { timeoutMs, uptimeMs, deadline } };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
