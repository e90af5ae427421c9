/** An appliance for the tests: the one that `INCUSOS_URL` names, or one started on an emulated machine of its own. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startProcess } from '@incusos/host';
import { checkout } from './checkout.ts';
import { freePort } from './free-port.ts';
import type { MachineUnderTest } from './machine.ts';
import type { Target } from './rest.ts';

export interface RunningAppliance extends Target {
  /** What it runs on; undefined when nothing but its URL is known. */
  readonly machine: MachineUnderTest | undefined;
  /** Process id of its supervisor. */
  readonly pid: number | undefined;
  /** Seconds from spawning the processes until all were healthy. */
  readonly readyAfter: number | undefined;
  /** The last lines of its log. */
  readonly log: () => string;
  readonly stop: () => Promise<void>;
}

/** Starts an appliance in a temporary directory, or in `keepIn`, and waits until it is ready. */
export async function startAppliance(keepIn?: string): Promise<RunningAppliance> {
  const directory = keepIn ?? mkdtempSync(join(tmpdir(), 'ios-'));
  const port = await freePort();
  const child = startProcess([join(checkout, 'bin/start'), '--dir', directory, '--port', String(port)], {
    env: process.env,
    cwd: checkout,
  });
  const lines: string[] = [];
  const readyAfter = await new Promise<number>((ready, reject) => {
    const read = (line: string): void => {
      lines.push(line);
      if (lines.length > 400) lines.shift();
      const seconds = /^IncusOS is ready \(after ([\d.]+) s\)/u.exec(line)?.[1];
      if (seconds !== undefined) ready(Number(seconds));
    };
    createInterface({ input: child.stdout }).on('line', read);
    createInterface({ input: child.stderr }).on('line', read);
    void child.exited.then(() => reject(new Error(`the appliance did not start:\n${lines.join('\n')}`)));
  });
  return {
    machine: { kind: 'emulated', directory },
    pid: child.pid,
    readyAfter,
    url: `https://127.0.0.1:${port}`,
    certificate: readFileSync(join(directory, 'incus/client.crt'), 'utf8'),
    key: readFileSync(join(directory, 'incus/client.key'), 'utf8'),
    log: () => lines.join('\n'),
    stop: async () => {
      child.signal('SIGTERM');
      await child.exited;
      if (keepIn === undefined) rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The machine that it runs on: virtual by `INCUSOS_VM_DIR`, emulated by `INCUSOS_DIR`. */
function givenMachine(): MachineUnderTest | undefined {
  const { INCUSOS_VM_DIR: virtual, INCUSOS_DIR: emulated } = process.env;
  if (virtual !== undefined) return { kind: 'virtual', directory: virtual };
  return emulated === undefined ? undefined : { kind: 'emulated', directory: emulated };
}

/** The appliance that `INCUSOS_URL`, `INCUSOS_CLIENT_CERT` and `INCUSOS_CLIENT_KEY` name, if they do. */
export function givenAppliance(): RunningAppliance | undefined {
  const { INCUSOS_URL: url, INCUSOS_CLIENT_CERT: certificate, INCUSOS_CLIENT_KEY: key } = process.env;
  if (url === undefined || certificate === undefined || key === undefined) return undefined;
  return {
    url,
    certificate: readFileSync(certificate, 'utf8'),
    key: readFileSync(key, 'utf8'),
    machine: givenMachine(),
    pid: undefined,
    readyAfter: undefined,
    log: () => '',
    stop: () => Promise.resolve(),
  };
}
