/** What lies where in the directory of an emulated machine. */
import { join, resolve } from 'node:path';

export interface Layout {
  readonly directory: string;
  /** Sockets of the services, the gateway and Valkey. */
  readonly run: string;
  /** A ready configuration directory (`INCUS_CONF`) for the official client. */
  readonly client: string;
  /** Tells a second start that one is running. */
  readonly control: string;
  /** The gateway's key and certificate. */
  readonly gateway: string;
}

/** @param directory as given on the command line, relative to where it was typed. */
export function layoutOf(directory: string): Layout {
  // npm runs its scripts in the checkout and keeps in INIT_CWD where the person is.
  const top = resolve(process.env['INIT_CWD'] ?? '.', directory);
  return {
    directory: top,
    run: join(top, 'run'),
    client: join(top, 'incus'),
    control: join(top, 'run', 'control.sock'),
    gateway: join(top, 'root/var/lib/incus-os/gateway'),
  };
}

/** `.incusos` in the checkout, git-ignored. */
export function defaultDirectory(): string {
  return resolve(import.meta.dirname, '../../../.incusos');
}
