/** Booting, and what must not boot. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inside } from '../../../image/tools/roots.ts';
import { consoleAddon } from '../console-addon.ts';
import type { Lab, Scenario } from '../harness/scenario.ts';
import {
  assertHealthy,
  assertSealed,
  assertSecure,
  journal,
  messageOf,
  patiently,
  tellBootTime,
} from './healthy.ts';

/** The kernel was started, whatever came of it. */
const kernelRuns = /systemd\[1\]|Linux version/u;
/** By when a boot that must not happen would have reached the API, and more. */
const refusalMs = 6 * 60_000;
/** Many times what it takes from the verity device to what is mounted from it. */
const refusedMountMs = 60_000;
/** More than a guest that runs needs for its answer. */
const refusedGuestMs = 10_000;
const strangersArgument = 'incusos.stranger=1';

async function firstBoot(lab: Lab): Promise<void> {
  const machine = await lab.fresh();
  await machine.switchOn();
  await machine.console(/Secure Boot keys|enroll/iu);
  const environment = await machine.ready();
  assert.equal(environment.os_version, lab.image.version);
  const rest = await machine.rest();
  await assertSecure(rest);
  await assertHealthy(rest);
  await assertSealed(machine);
  await tellBootTime(machine);
  await machine.powerOff();
  const labels = machine.disk.partitions().map(({ label }) => label);
  const version = `IncusOS_${lab.image.version}`;
  assert.deepEqual(labels, [
    ...['esp', 'seed-data', `${version}_verity_sig`, `${version}_verity`, version],
    ...['_empty', '_empty', '_empty', 'swap', 'root', 'local-data'],
  ]);
  for (const label of ['swap', 'root']) {
    const head = machine.disk.read(machine.disk.partition(label).start, 6);
    assert.deepEqual(head, Buffer.from('LUKS\xba\xbe', 'latin1'), `${label} is not encrypted`);
  }
  await lab.kept.takeOff(machine);
}

async function secondBoot(lab: Lab): Promise<void> {
  const machine = await lab.installed();
  const environment = await machine.boot();
  assert.equal(environment.os_version, lab.image.version);
  const rest = await machine.rest();
  await assertSecure(rest);
  await assertHealthy(rest);
  await assertSealed(machine);
  await tellBootTime(machine);
  // Nobody was asked for anything, and nothing was made anew.
  assert.doesNotMatch(machine.serial.text(), /Please enter (?:passphrase|.*recovery key)/iu);
  assert.doesNotMatch(machine.serial.text(), /Formatting|Encrypting future partition/u);
  await lab.kept.takeRunning(machine);
}

async function strangersHypervisor(lab: Lab): Promise<void> {
  const machine = await lab.installed({
    firmwareStrings: [
      `io.systemd.stub.kernel-cmdline-extra=${strangersArgument}`,
      'io.systemd.credential:udev.rules.99-e2e-stranger=# nothing',
    ],
  });
  // Every other machine has the addon, and its shell comes by such a credential.
  machine.disk.removeFromEsp(consoleAddon);
  await machine.boot();
  await assert.rejects(machine.guest('true', refusedGuestMs), /did not answer in time/u);
  const rest = await machine.rest();
  assert.doesNotMatch(await patiently<string>(rest, '/os/1.0/debug/processes'), /e2e[-.]guest/u);
  const messages = (await journal(rest)).map(messageOf);
  assert.deepEqual(
    messages.filter((message) => /e2e-(?:guest|stranger)/u.test(message)),
    [],
    'a credential did something',
  );
  const commandLine = messages.filter((message) => /^Command line: /u.test(message));
  assert.equal(commandLine.length, 1, "the kernel doesn't tell its command line");
  assert.match(commandLine[0] ?? '', /usrhash=/u);
  assert.ok(!(commandLine[0] ?? '').includes(strangersArgument), 'the hypervisor added to the command line');
}

async function flippedByte(lab: Lab): Promise<void> {
  const machine = await lab.installed();
  const { start } = machine.disk.partition(`IncusOS_${lab.image.version}`);
  // The volume name in erofs' superblock: nothing that erofs itself would mind, read in every boot.
  const superblock = start + 1_024;
  assert.equal(machine.disk.read(superblock, 4).readUInt32LE(), 0xe0f5e1e2, "erofs' superblock is elsewhere");
  machine.disk.flipByte(superblock + 64);
  await machine.switchOn();
  await machine.console(
    /verity: .*(?:corrupted|verification failed)|metadata block \d+ is corrupted/iu,
    0,
    refusalMs,
  );
  // The initrd waits minutes for a file system that it can't read; one that it could read it would mount at once.
  await sleep(refusedMountMs);
  assert.ok(machine.isRunning(), 'the machine is off');
  assert.doesNotMatch(
    machine.serial.text(),
    /Mounted sys(?:usr|root)-usr\.mount|Switching root|Starting incus-os-/u,
    'the system started nonetheless',
  );
}

async function strangersKernel(lab: Lab): Promise<void> {
  const machine = await lab.installed();
  const [kernel, ...others] = machine.disk.kernels();
  assert.ok(kernel !== undefined && others.length === 0, 'there is not exactly one kernel');
  await machine.disk.takeFromEsp(`/EFI/Linux/${kernel}`, 'kernel.efi');
  const sign = [
    'set -e',
    'cd /vm',
    'openssl req -x509 -newkey rsa:2048 -noenc -sha256 -days 30 -subj /CN=stranger -keyout stranger.key -out stranger.crt',
    'sbattach --remove kernel.efi',
    'sbsign --key stranger.key --cert stranger.crt --output stranger.efi kernel.efi',
  ].join('\n');
  await inside(lab.host.tools, ['sh', '-c', sign], {
    log: join(machine.directory, 'sign.log'),
    mounts: { '/vm': machine.directory },
  });
  await machine.disk.putIntoEsp('stranger.efi', `/EFI/Linux/${kernel}`);
  await machine.switchOn();
  await machine.console(/Access denied|Security Violation/iu, 0, refusalMs);
  assert.doesNotMatch(machine.serial.text(), kernelRuns, 'the kernel ran nonetheless');
}

export const bootScenarios: readonly Scenario[] = [
  {
    name: 'smoke/first-boot',
    sentence:
      'the first boot enrols the keys and ends with Secure Boot, verity, encryption and healthy services',
    needs: [],
    run: firstBoot,
  },
  {
    name: 'smoke/second-boot',
    sentence: 'the second boot opens root and swap by the TPM alone',
    needs: ['off'],
    run: secondBoot,
  },
  {
    name: 'smoke/flipped-byte',
    sentence: 'a flipped byte in /usr does not boot',
    needs: ['off'],
    run: flippedByte,
  },
  {
    name: 'smoke/strangers-kernel',
    sentence: 'a kernel that is signed by another key is refused',
    needs: ['off'],
    run: strangersKernel,
  },
  {
    name: 'smoke/strangers-hypervisor',
    sentence:
      'credentials and arguments for the kernel from the hypervisor do nothing to a machine as shipped',
    needs: ['off'],
    run: strangersHypervisor,
  },
];
