/** What is not signed by the image's keys has no say in a boot, wherever it comes from. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab, Scenario } from '../harness/scenario.ts';

/** By when a boot that must not happen would have reached the API, and more. */
const refusalMs = 6 * 60_000;
const argument = 'incusos.stranger=1';

/** A section of a portable executable, such as a kernel image. */
function sectionOf(image: Buffer, name: string): Buffer {
  const header = image.readUInt32LE(0x3c);
  const count = image.readUInt16LE(header + 6);
  let at = header + 24 + image.readUInt16LE(header + 20);
  for (let index = 0; index < count; index += 1, at += 40) {
    if (image.toString('latin1', at, at + 8).replace(/\0+$/u, '') !== name) continue;
    const start = image.readUInt32LE(at + 20);
    return image.subarray(start, start + Math.min(image.readUInt32LE(at + 8), image.readUInt32LE(at + 16)));
  }
  throw new Error(`there is no section ${name}`);
}

async function bareKernel(lab: Lab): Promise<void> {
  const machine = await lab.installed();
  const [kernel] = machine.disk.kernels();
  assert.ok(kernel !== undefined, 'there is no kernel');
  await machine.disk.takeFromEsp(`/EFI/Linux/${kernel}`, 'image.efi');
  const file = (name: string): string => join(machine.directory, name);
  writeFileSync(file('bare.efi'), sectionOf(readFileSync(file('image.efi')), '.linux'));
  writeFileSync(file('bare.conf'), `title bare\nlinux /bare.efi\noptions ${argument} console=ttyS0\n`);
  writeFileSync(file('loader.conf'), 'default bare.conf\n');
  await machine.disk.putIntoEsp('bare.efi', '/bare.efi');
  await machine.disk.putIntoEsp('bare.conf', '/loader/entries/bare.conf');
  await machine.disk.putIntoEsp('loader.conf', '/loader/loader.conf');
  await machine.switchOn();
  await machine.console(/Access denied|Security Violation/iu, 0, refusalMs);
  assert.doesNotMatch(machine.serial.text(), /Linux version|systemd\[1\]/u, 'the kernel ran nonetheless');
}

export const signedScenarios: readonly Scenario[] = [
  {
    name: 'smoke/bare-kernel',
    sentence: 'the kernel, taken out of its signed image, is refused',
    needs: ['off'],
    run: bareKernel,
  },
];
