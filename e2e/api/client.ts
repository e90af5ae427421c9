/** What the API tests share: a trusted client, the machine under test, and waiting for the appliance. */
import { describe, inject, it } from 'vitest';
import { openMachine } from '../appliance/machine.ts';
import { Rest } from '../appliance/rest.ts';

const given = inject('machine');
/** Only for tests inside {@link describeMachine} and {@link itsMachine}. */
export const machine = openMachine(given ?? { kind: 'emulated', directory: '/no/machine' });

/**
 * Tests that change the machine from outside or look into it. They are skipped, and counted so, on one of which nothing but
 * the URL is known; on an emulated and on a virtual machine all of them run.
 */
export const describeMachine = describe.skipIf(given === undefined);
export const itsMachine = it.skipIf(given === undefined);

export const url = inject('url');

export function trustedClient(): Rest {
  return new Rest(url, { cert: inject('certificate'), key: inject('key') });
}

interface Environment {
  readonly environment: { readonly system_is_ready: boolean; readonly uptime: number };
}

/** Waits until `condition` holds; gives the last error when it never does. */
export async function eventually(
  condition: () => Promise<boolean>,
  what: string,
  limitMs = 600_000,
): Promise<void> {
  const deadline = Date.now() + limitMs;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      if (await condition()) return;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what} did not happen`, { cause: last });
}

/**
 * Runs what reboots the appliance, and waits until it is ready again with a kernel that started after that. The moment of
 * start is compared, not the uptime: a machine that was rebooted soon after its start takes longer to be ready again than it
 * had been up.
 */
export async function throughReboot(rest: Rest, reboots: () => Promise<unknown>): Promise<void> {
  const environment = async () => (await rest.get<Environment>('/os/1.0')).environment;
  await eventually(async () => (await environment()).uptime > 3, 'some uptime');
  const asked = Date.now();
  await reboots();
  await eventually(async () => {
    const { system_is_ready, uptime } = await environment();
    return system_is_ready && Date.now() - uptime * 1000 > asked;
  }, 'the reboot');
}
