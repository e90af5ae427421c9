/**
 * The emulated machine's own HTTP proxy: the process that its unit stands for, on a port of this computer.
 *
 * Invariants: it runs while the unit is active, and is another process after each start of the unit.
 */
import type { EmulatedMachine } from '@incusos/host-emulated';
import type { ProcessPlan, Processes } from './processes.ts';

const unit = 'local-proxy.service';

export class LocalProxy {
  private since: string | undefined;
  private turn: Promise<void> = Promise.resolve();

  /** @param plan of the process. */
  constructor(
    private readonly machine: EmulatedMachine,
    private readonly processes: Processes,
    private readonly plan: ProcessPlan,
  ) {}

  /** Looks at the unit and does what it says. */
  follow(): Promise<void> {
    this.turn = this.turn.then(() => this.carryOut());
    return this.turn;
  }

  private async carryOut(): Promise<void> {
    const status = this.machine.read().system.units[unit];
    const since = status?.active === 'active' ? status.since : undefined;
    if (since === this.since) return;
    this.since = since;
    await this.processes.stopOne(this.plan.name);
    if (since !== undefined) this.processes.start([this.plan]);
  }
}
