/** What the API tests share: a trusted client, one without a certificate, and waiting for the appliance. */
import { inject } from 'vitest';
import { Rest } from '../appliance/rest.ts';

/** The directory of the emulated machine; undefined on a real one. */
export const directory = inject('directory');
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

/** Waits until the appliance went through a reboot: it is ready, and its uptime is shorter than before. */
export async function rebooted(rest: Rest, uptimeBefore: number): Promise<void> {
  await eventually(async () => {
    const { environment } = await rest.get<Environment>('/os/1.0');
    return environment.system_is_ready && environment.uptime < uptimeBefore;
  }, 'the reboot');
}

export async function uptime(rest: Rest): Promise<number> {
  const { environment } = await rest.get<Environment>('/os/1.0');
  return environment.uptime;
}
