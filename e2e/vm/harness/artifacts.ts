/** What is kept of the machines of a scenario that failed. */
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Lab } from './scenario.ts';
import type { TestMachine } from './test-machine.ts';

const logs = ['serial.log', 'qemu.log', 'swtpm.log', 'api.log'];
const reportMs = 90_000;

/** What the guest says about itself, if its shell answers. */
const report = ['systemctl --no-pager --failed', 'systemctl --no-pager list-jobs', 'cat /proc/cmdline']
  .concat('ps -eo pid,stat,etime,rss,args', 'free -m', 'df -h', 'networkctl --no-pager', 'lsblk')
  .concat('journalctl --no-pager -b -o short-monotonic -n 5000')
  .map((command) => `echo '# ${command}'; timeout 60 ${command} 2>&1; echo`)
  .join('\n');

export class Artifacts {
  private readonly top: string;

  /** @param top a directory of our own. */
  constructor(top: string) {
    this.top = top;
  }

  /** Forgets what was kept of a scenario before. */
  forget(scenario: string): void {
    rmSync(this.of(scenario), { recursive: true, force: true });
  }

  /** Keeps the logs of every machine, and a picture and the journal of those that run. @returns where. */
  async keep(scenario: string, lab: Lab, problem: string): Promise<string> {
    const directory = this.of(scenario);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'problem.txt'), `${problem}\n`);
    for (const machine of lab.machines) await keepMachine(machine, directory);
    return directory;
  }

  private of(scenario: string): string {
    return join(this.top, scenario.replaceAll('/', '-'));
  }
}

async function keepMachine(machine: TestMachine, directory: string): Promise<void> {
  const name = `machine-${basename(machine.directory)}`;
  for (const log of logs) {
    const from = join(machine.directory, log);
    if (existsSync(from)) copyFileSync(from, join(directory, `${name}-${log}`));
  }
  if (!machine.isRunning()) return;
  await machine.screenshot(join(directory, `${name}-screen.png`)).catch(() => undefined);
  const { output } = await machine.guest(report, reportMs).catch((error: unknown) => ({
    output: `the guest's shell says nothing: ${String(error)}\n`,
  }));
  writeFileSync(join(directory, `${name}-guest.txt`), output);
}
