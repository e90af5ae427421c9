/**
 * For who works on a service: with `INCUSOS_E2E_BUNDLES=network,gateway` a machine that is restored runs these services as
 * `bin/build` made them last, instead of as the image has them. It spares the image and its first boot.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { serviceNames } from '../../../image/tools/service-names.ts';
import { say } from '../../../image/tools/sentence.ts';
import type { TestMachine } from './test-machine.ts';

const bundles = join(import.meta.dirname, '../../../dist/apps');
const lineLength = 76;
const restartMs = 5 * 60_000;

/** The services that are named, none unless told otherwise. @throws Error for a name that is no service's. */
export function ownServices(
  names = process.env['INCUSOS_E2E_BUNDLES'] ?? '',
  known: readonly string[] = serviceNames,
): readonly string[] {
  const wanted = names.split(',').filter((name) => name !== '');
  const stranger = wanted.find((name) => !known.includes(name));
  if (stranger !== undefined)
    throw new Error(`INCUSOS_E2E_BUNDLES: there is no service ${stranger}; ${known.join(', ')} are.`);
  return wanted;
}

/** Has a running machine use the bundles of this checkout for the services that are named. */
export async function bringBundles(machine: TestMachine): Promise<void> {
  const services = ownServices();
  if (services.length === 0) return;
  for (const name of services) {
    const text = gzipSync(readFileSync(join(bundles, name, 'main.mjs'))).toString('base64');
    const lines = text.replaceAll(new RegExp(`.{${lineLength}}`, 'gu'), '$&\n');
    const own = `/run/e2e-bundles/${name}.mjs`;
    await machine.inGuest(
      `mkdir -p /run/e2e-bundles && chmod 755 /run/e2e-bundles && base64 -d <<'END' | gunzip >${own} &&\n${lines}\nEND
      chmod 644 ${own} && mount --bind ${own} /usr/lib/incus-os/${name}/main.mjs`,
      restartMs,
    );
  }
  // A service is ready when systemd says that it is active.
  await machine.inGuest(
    `systemctl restart ${services.map((name) => `incus-os-${name}.service`).join(' ')}`,
    restartMs,
  );
  machine.disconnect();
  await machine.ready();
  say(`  ${services.join(', ')} as in this checkout`);
}
