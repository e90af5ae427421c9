/** Whether this computer's processor can run the guest itself. */
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { insideArgv } from '../../image/tools/roots.ts';
import { type Accelerator } from './machine.ts';
import { Qmp } from './qmp.ts';

/** For how long the firmware has to run before KVM is believed. */
const trialMs = 4_000;

/** Runs the firmware alone for some seconds: where KVM can be opened it may still be unable to run a guest. */
export async function findAccelerator(tools: string, scratch: string): Promise<Accelerator> {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch {
    return 'tcg';
  }
  const directory = mkdtempSync(join(scratch, 'kvm-'));
  const [program, ...args] = insideArgv(tools, { '/vm': directory }, [
    'qemu-system-x86_64',
    ...['-machine', 'q35,smm=on', '-accel', 'kvm', '-cpu', 'host', '-m', '512', '-display', 'none'],
    ...['-global', 'driver=cfi.pflash01,property=secure,value=on'],
    ...['-drive', 'if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd'],
    ...['-qmp', 'unix:/vm/qmp.sock,server=on,wait=off', '-nodefaults'],
  ]);
  const child = spawn(program, args, { stdio: 'ignore' });
  try {
    const end = Date.now() + trialMs;
    let status = 'unknown';
    while (Date.now() < end && child.exitCode === null) {
      await sleep(500);
      const qmp = await Qmp.connect(join(directory, 'qmp.sock')).catch(() => undefined);
      status = (await qmp?.status().catch(() => undefined)) ?? 'unknown';
      qmp?.close();
    }
    return child.exitCode === null && status === 'running' ? 'kvm' : 'tcg';
  } finally {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
}
