/**
 * The record of a change that isn't final: on disk before the first file is touched, gone once the change was kept or
 * taken back. Whoever finds it at start knows that the configuration in the state file is the one to return to.
 */
import { SystemNetworkConfig } from '@incusos/contracts/network';
import type { Host } from '@incusos/host';
import { stateDirectory } from '../network-state.ts';

export interface PendingRecord {
  /** `applying` until the network came up, `unconfirmed` while somebody has to confirm it. */
  readonly phase: 'applying' | 'unconfirmed';
  readonly config: SystemNetworkConfig;
  /** Milliseconds that were given for the confirmation; absent when none is needed. */
  readonly timeoutMs?: number;
  /** RFC 3339; when the previous configuration comes back. */
  readonly deadline?: string;
  /** The kernel's id of the boot in which it was made; a later boot takes the change back. */
  readonly bootId: string;
}

const path = `${stateDirectory}/pending.json`;

export class PendingFile {
  constructor(private readonly host: Host) {}

  async write(record: PendingRecord): Promise<void> {
    await this.host.files.writeAtomic(path, `${JSON.stringify({ format: 1, ...record })}\n`, { mode: 0o600 });
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

  async bootId(): Promise<string> {
    return (await this.host.files.readText('/proc/sys/kernel/random/boot_id').catch(() => '')).trim();
  }
}

function parse(value: unknown): PendingRecord | 'unusable' {
  if (typeof value !== 'object' || value === null || !('format' in value) || value.format !== 1)
    return 'unusable';
  const { phase, config, timeoutMs, deadline, bootId } = value as Record<string, unknown>;
  if (phase !== 'applying' && phase !== 'unconfirmed') return 'unusable';
  if (typeof config !== 'object' || config === null || typeof bootId !== 'string') return 'unusable';
  return {
    phase,
    config: SystemNetworkConfig.fromPartial(config),
    bootId,
    ...(typeof timeoutMs === 'number' ? { timeoutMs } : {}),
    ...(typeof deadline === 'string' && !Number.isNaN(Date.parse(deadline)) ? { deadline } : {}),
  };
}
