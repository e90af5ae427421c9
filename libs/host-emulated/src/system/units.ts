/**
 * The units of the emulated machine's service manager.
 *
 * Invariants: what is active lives in `machine.system.units` and is gone after a power cut; a unit's effects run
 * before it is said to be active; a unit is known when an area brings it or a unit file of its name exists.
 */
import type { Files } from '@incusos/host';
import type { EmulatedMachine } from '../machine/emulated-machine.ts';
import type { UnitStatus } from './section.ts';

/** What a unit's effects work on. */
export interface UnitContext {
  readonly machine: EmulatedMachine;
  readonly files: Files;
}

/** What a unit does to the machine. Effects throw to make the unit fail, with the sentence for its log. */
export interface Unit {
  /** With its suffix, such as `systemd-networkd.service`. */
  readonly name: string;
  readonly description: string;
  /** The process it runs, for `ps`; none for units that do their work and end. */
  readonly process?: { readonly command: string; readonly user?: string };
  /** Active without a process after a start, as `Type=oneshot` with `RemainAfterExit=yes`. */
  readonly oneshot?: boolean;
  /** Started when the machine is switched on; `false` unless given. */
  readonly startsAtBoot?: boolean;
  readonly onStart?: (context: UnitContext) => Promise<void>;
  readonly onStop?: (context: UnitContext) => Promise<void>;
  /** Without it the unit can't be reloaded. */
  readonly onReload?: (context: UnitContext) => Promise<void>;
}

/** A unit's effect failed. */
export class UnitFailedError extends Error {
  override readonly name = 'UnitFailedError';
}

/** Where systemd looks for unit files, first match wins (systemd.unit(5)). */
const unitDirectories = ['/etc/systemd/system', '/run/systemd/system', '/usr/lib/systemd/system'] as const;

/** The units by name; where several areas bring the same, the last one counts. */
export function unitsByName(units: readonly Unit[]): ReadonlyMap<string, Unit> {
  return new Map(units.map((unit) => [unit.name, unit]));
}

/** A unit's full name: `x` means `x.service` (systemctl(1)). */
export function unitName(name: string): string {
  return /\.(?:service|socket|target|timer|mount|device|path|slice|scope|swap|automount)$/u.test(name)
    ? name
    : `${name}.service`;
}

/** The unit of a name, also one that only has a unit file; `undefined` when systemd would not find it. */
export async function findUnit(
  units: ReadonlyMap<string, Unit>,
  name: string,
  files: Files,
): Promise<Unit | undefined> {
  const known = units.get(name);
  if (known !== undefined) return known;
  const path = await unitFile(name, files);
  return path === undefined ? undefined : parseUnit(name, await files.readText(path));
}

/** Where a unit's file is. */
export async function unitFile(name: string, files: Files): Promise<string | undefined> {
  for (const directory of unitDirectories) {
    const path = `${directory}/${name}`;
    if (await files.exists(path)) return path;
  }
  return undefined;
}

function parseUnit(name: string, text: string): Unit {
  const value = (key: string): string | undefined =>
    new RegExp(`^${key}=(.*)$`, 'mu').exec(text)?.[1]?.trim();
  const command = value('ExecStart')?.replace(/^[-@:+!]+/u, '');
  const oneshot = value('Type') === 'oneshot';
  return {
    name,
    description: value('Description') ?? name,
    oneshot,
    ...(oneshot || command === undefined ? {} : { process: { command } }),
    onReload: () => Promise.resolve(),
  };
}

/** A unit's state; a unit that nobody started is inactive. */
export function statusOf(machine: EmulatedMachine, name: string): UnitStatus {
  return machine.read().system.units[name] ?? { active: 'inactive', sub: 'dead' };
}

/** @throws UnitFailedError when its effect failed; the unit is then `failed`. */
export async function startUnit(unit: Unit, context: UnitContext): Promise<void> {
  if (statusOf(context.machine, unit.name).active === 'active') return;
  try {
    await unit.onStart?.(context);
  } catch (error) {
    await setStatus(context.machine, unit.name, { active: 'failed', sub: 'failed', since: now() });
    throw new UnitFailedError(error instanceof Error ? error.message : String(error), { cause: error });
  }
  await context.machine.change((machine) => {
    const { system } = machine;
    if (unit.oneshot === true) system.units[unit.name] = { active: 'active', sub: 'exited', since: now() };
    else {
      system.units[unit.name] = {
        active: 'active',
        sub: runningState(unit.name),
        since: now(),
        pid: system.next_pid,
      };
      system.next_pid += 7;
    }
  });
}

export async function stopUnit(unit: Unit, context: UnitContext): Promise<void> {
  if (statusOf(context.machine, unit.name).active === 'inactive') return;
  await unit.onStop?.(context);
  await setStatus(context.machine, unit.name, { active: 'inactive', sub: 'dead', since: now() });
}

/** @throws UnitFailedError as {@link startUnit}. */
export async function restartUnit(unit: Unit, context: UnitContext): Promise<void> {
  await stopUnit(unit, context);
  await startUnit(unit, context);
}

/** Starts what starts at boot, in the order given; a unit that fails doesn't stop the boot. */
export async function startBootUnits(units: ReadonlyMap<string, Unit>, context: UnitContext): Promise<void> {
  for (const unit of units.values()) {
    const enabled = context.machine.read().system.enabled_units[unit.name] ?? unit.startsAtBoot === true;
    if (!enabled) continue;
    await startUnit(unit, context).catch((error: unknown) => {
      if (!(error instanceof UnitFailedError)) throw error;
    });
  }
}

function setStatus(machine: EmulatedMachine, name: string, status: UnitStatus): Promise<void> {
  return machine.change(({ system }) => {
    system.units[name] = status;
  });
}

function runningState(name: string): string {
  if (name.endsWith('.socket')) return 'listening';
  if (name.endsWith('.timer') || name.endsWith('.path')) return 'waiting';
  if (name.endsWith('.mount')) return 'mounted';
  return name.endsWith('.target') || name.endsWith('.swap') ? 'active' : 'running';
}

function now(): string {
  return new Date().toISOString();
}
