/** The system section of a machine description: power, units and the operating system that is installed. */
import { randomUUID } from 'node:crypto';

/** `rebooting` and `powering-off` are requests of the operating system that nobody carried out yet. */
export type PowerState = 'on' | 'off' | 'rebooting' | 'powering-off' | 'suspended';

export interface Power {
  state: PowerState;
  /** UUID of the present boot; changes with every power-on. */
  boot_id: string;
  /** RFC 3339; when the kernel started. */
  booted_at: string;
  /** How often the machine was switched on. */
  boots: number;
}

/** A unit as systemd shows it. */
export interface UnitStatus {
  readonly active: 'active' | 'inactive' | 'failed';
  readonly sub: string;
  /** RFC 3339. */
  readonly since?: string;
  readonly pid?: number;
}

export interface SystemSection {
  power: Power;
  /** Units that were started or failed since power-on. */
  units: Record<string, UnitStatus>;
  /** What `systemctl enable` and `disable` changed. */
  enabled_units: Record<string, boolean>;
  next_pid: number;
}

export function defaultSystem(): SystemSection {
  return {
    power: { state: 'off', boot_id: randomUUID(), booted_at: '1970-01-01T00:00:00.000Z', boots: 0 },
    units: {},
    enabled_units: {},
    next_pid: 310,
  };
}
