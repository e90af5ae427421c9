/** A newer release in the other slot: taken over, given up, and broken off. */
import assert from 'node:assert/strict';
import { filesDirectory, mountFiles } from '../harness/file-drive.ts';
import type { Lab, Scenario } from '../harness/scenario.ts';
import type { TestMachine } from '../harness/test-machine.ts';
import { GaveUp, until } from '../harness/wait.ts';
import { assertHealthy, assertSealed, assertSecure, journal, messageOf } from './healthy.ts';

const downloads = '/var/lib/incus-os/update/downloads';
/** As often as a release is tried (TriesLeft= of the kernel's transfer). */
const tries = 3;

/** The firmware's last words, the same after a restart. */
const loaderBegins = /BdsDxe: starting/u;
/** The first words after them that aren't the loader's. */
const kernelBegins = /systemd\[1\]/u;
/** The boot is complete only after the API says that it is. */
const blessingMs = 3 * 60_000;
const arrivalMs = 5 * 60_000;
const transferMs = 15 * 60_000;

/** The parts of a release lie where the update service puts them; systemd-sysupdate brings them into the other slot. */
const transfer = [
  'set -e',
  mountFiles,
  `mkdir -p ${downloads}`,
  `mount --bind ${filesDirectory} ${downloads}`,
  '/usr/lib/systemd/systemd-sysupdate --verify=no update',
  `umount ${downloads}`,
  'sync',
].join('\n');

async function reboot(machine: TestMachine): Promise<void> {
  await (await machine.rest()).succeed('POST', '/os/1.0/system/:reboot', { json: {} });
  machine.disconnect();
}

async function takenOver(lab: Lab): Promise<void> {
  const newer = await lab.kept.newer();
  const machine = await lab.running();
  await machine.plugFiles(newer.drive);
  await machine.inGuest(transfer, transferMs);
  await reboot(machine);
  await machine.ready(({ os_version: version }) => version === newer.version);
  const rest = await machine.rest();
  await assertSecure(rest);
  await assertHealthy(rest);
  await assertSealed(machine);
  await until('the blessing of the boot', blessingMs, async () => {
    const entries = await journal(rest);
    return entries.some((entry) => /Marked boot as 'good'/u.test(messageOf(entry))) ? true : undefined;
  });
  await machine.powerOff();
  assert.deepEqual(machine.disk.kernels().toSorted(), [
    `IncusOS_${lab.image.version}.efi`,
    `IncusOS_${newer.version}.efi`,
  ]);
}

/** The API never starts in a release, and nothing waits long for it there. */
function brokenIn(version: string): string {
  const dropIn = (unit: string, line: string): string =>
    `mkdir -p /etc/systemd/system/${unit}.d && printf '[Service]\\n%s\\n' ${quoted(line)} >/etc/systemd/system/${unit}.d/e2e.conf`;
  const fails = `/bin/sh -c "! grep -q ^IMAGE_VERSION=.*${version} /usr/lib/os-release"`;
  return [
    dropIn('incus-os-gateway.service', `ExecStartPre=+${fails}`),
    // The release before isn't on trial, so this is nothing to it.
    dropIn('boot-check.service', 'TimeoutStartSec=60s'),
  ].join('\n');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

async function givenUp(lab: Lab): Promise<void> {
  const newer = await lab.kept.newer();
  const machine = await lab.running();
  await machine.plugFiles(newer.drive);
  await machine.inGuest(`${brokenIn(newer.version)}\n${transfer}`, transferMs);
  const name = (left: number): string => `IncusOS_${newer.version}+${left}-${tries - left}.efi`;
  await reboot(machine);
  // The machine ends an attempt that failed by itself.
  await machine.console(/This boot failed; .* 2 more are left/u);
  const ended = machine.serial.length;
  await machine.console(loaderBegins, ended);
  await machine.console(kernelBegins, machine.serial.length);
  await machine.cutPower();
  assert.ok(machine.disk.kernels().includes(name(1)), 'two attempts were not counted');
  // So does a power cut in the last one.
  await machine.switchOn();
  await machine.console(kernelBegins);
  await machine.cutPower();
  assert.ok(machine.disk.kernels().includes(name(0)), 'the last attempt was not counted');
  const environment = await machine.boot();
  assert.equal(environment.os_version, lab.image.version);
  const rest = await machine.rest();
  await assertSecure(rest);
  await assertHealthy(rest);
}

async function brokenOff(lab: Lab): Promise<void> {
  const newer = await lab.kept.newer();
  const machine = await lab.running();
  const slot = machine.disk.partitions().at(7);
  assert.ok(slot?.label === '_empty', 'the other slot is not empty');
  const untouched = machine.disk.read(slot.start, 4_096);
  await machine.plugFiles(newer.drive);
  const transferring = machine.inGuest(transfer, transferMs);
  transferring.catch(() => undefined);
  // In the middle: the first part of /usr has arrived, and the kernel, which comes last, has not.
  await until(
    'the beginning of the release',
    arrivalMs,
    () => {
      if (!machine.isRunning()) throw new GaveUp('the machine is off');
      return machine.disk.read(slot.start, 4_096).equals(untouched) ? undefined : true;
    },
    { everyMs: 200 },
  );
  await machine.cutPower();
  assert.deepEqual(machine.disk.kernels(), [`IncusOS_${lab.image.version}.efi`]);
  assert.ok(!machine.disk.partitions().some(({ label }) => label === `IncusOS_${newer.version}`));
  const environment = await machine.boot();
  assert.equal(environment.os_version, lab.image.version);
  const rest = await machine.rest();
  await assertSecure(rest);
  await assertHealthy(rest);
}

export const updateScenarios: readonly Scenario[] = [
  {
    name: 'smoke/update',
    sentence: 'a newer release is transferred to the other slot, booted and blessed',
    needs: ['running', 'newer'],
    run: takenOver,
  },
  {
    name: 'smoke/update-fallback',
    sentence: 'a newer release whose services do not start is given up for the one before',
    needs: ['running', 'newer'],
    run: givenUp,
  },
  {
    name: 'smoke/update-power-cut',
    sentence: 'a power cut in the middle of a transfer leaves the running release bootable',
    needs: ['running', 'newer'],
    run: brokenOff,
  },
];
