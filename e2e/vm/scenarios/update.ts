/** A newer release in the other slot: taken over, given up, and broken off. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { filesDirectory, mountFiles } from '../harness/file-drive.ts';
import type { Lab, Scenario } from '../harness/scenario.ts';
import type { TestMachine } from '../harness/test-machine.ts';
import { assertHealthy, assertSealed, assertSecure, journal, messageOf } from './healthy.ts';

const downloads = '/var/lib/incus-os/update/downloads';
/** As often as a release is tried (TriesLeft= of the kernel's transfer). */
const tries = 3;

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
  const entries = await journal(rest);
  assert.ok(
    entries.some((entry) => /Marked boot as 'good'/u.test(messageOf(entry))),
    'the boot was not blessed',
  );
  await machine.powerOff();
  assert.deepEqual(machine.disk.kernels().toSorted(), [
    `IncusOS_${lab.image.version}.efi`,
    `IncusOS_${newer.version}.efi`,
  ]);
}

async function givenUp(lab: Lab): Promise<void> {
  const newer = await lab.kept.newer();
  const machine = await lab.running();
  // Boot is never complete in the newer release: something that it waits for fails there.
  const units = '/etc/systemd/system';
  const never = [
    `mkdir -p ${units}/boot-complete.target.requires`,
    `printf '%s\\n' '[Unit]' 'Before=boot-complete.target' '[Service]' 'Type=oneshot' "ExecStart=/bin/sh -c '! grep -q IMAGE_VERSION=.*${newer.version} /etc/os-release'" >${units}/e2e-never.service`,
    `ln -s ../e2e-never.service ${units}/boot-complete.target.requires/`,
  ].join('\n');
  await machine.plugFiles(newer.drive);
  await machine.inGuest(`${never}\n${transfer}`, transferMs);
  await reboot(machine);
  await machine.console(/Dependency failed for .*(?:boot-complete|Boot Completion)/iu);
  await machine.cutPower();
  const name = (left: number): string => `IncusOS_${newer.version}+${left}-${tries - left}.efi`;
  assert.ok(machine.disk.kernels().includes(name(tries - 1)), 'the first try was not counted');
  for (let left = tries - 2; left >= 0; left -= 1) {
    await machine.switchOn();
    await machine.console(/systemd\[1\]/u);
    await machine.cutPower();
    assert.ok(machine.disk.kernels().includes(name(left)), `${left} tries should be left`);
  }
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
  for (let waited = 0; machine.disk.read(slot.start, 4_096).equals(untouched); waited += 1) {
    assert.ok(waited < 600 && machine.isRunning(), 'nothing of the release arrived');
    await sleep(200);
  }
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
    sentence: 'a newer release that never completes its boot is given up for the one before',
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
