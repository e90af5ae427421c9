import { defaultNetwork } from '../network/section.ts';
import { defaultSecurity } from '../security/section.ts';
import { defaultStorage } from '../storage/section.ts';
import { defaultSystem } from '../system/section.ts';
import type { Machine } from './machine.ts';

/** The machine one gets without a description: a server with one NIC and a system disk of 50 GiB, installed. */
export function defaultMachine(): Machine {
  return {
    format: 1,
    system: defaultSystem(),
    network: defaultNetwork(),
    storage: defaultStorage(),
    security: defaultSecurity(),
    faults: { full_directories: [] },
  };
}

/**
 * A machine from its description; sections and settings that it leaves out are the default machine's.
 * @throws Error saying what is wrong with the text.
 */
export function parseMachine(text: string): Machine {
  const described: unknown = JSON.parse(text);
  if (typeof described !== 'object' || described === null || Array.isArray(described)) {
    throw new Error('a machine description is a JSON object');
  }
  const machine = defaultMachine();
  if ('format' in described && described.format !== machine.format) {
    throw new Error(
      `machine description has format ${String(described.format)}, this release knows format 1`,
    );
  }
  const unknown = Object.keys(described).filter((key) => !(key in machine));
  if (unknown.length > 0) throw new Error(`machine description has unknown sections: ${unknown.join(', ')}`);
  for (const section of ['system', 'network', 'storage', 'security', 'faults'] as const) {
    if (section in described)
      Object.assign(machine[section], (described as Record<string, unknown>)[section]);
  }
  return machine;
}
