/** What is kept of a scenario: its log, and of one that failed its machines too. */
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

const neighbourReport = [
  'ip -d address',
  'ip route',
  'ip -6 route',
  'bridge vlan',
  'ps ax',
  'dmesg | tail -n 100',
]
  .map((command) => `echo '# ${command}'; timeout 60 sh -c '${command}' 2>&1; echo`)
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

  /** Keeps the notes of a scenario, if it has any. */
  keepLog(scenario: string, lab: Lab): void {
    if (!existsSync(lab.log)) return;
    mkdirSync(this.of(scenario), { recursive: true });
    copyFileSync(lab.log, join(this.of(scenario), 'log.txt'));
  }

  /** Keeps the logs of every machine, and a picture and the journal of those that run. @returns where. */
  async keep(scenario: string, lab: Lab, problem: string): Promise<string> {
    const directory = this.of(scenario);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'problem.txt'), `${problem}\n`);
    for (const machine of lab.machines) await keepMachine(machine, directory);
    await keepNeighbour(lab, directory);
    return directory;
  }

  private of(scenario: string): string {
    return join(this.top, scenario.replaceAll('/', '-'));
  }
}

async function keepNeighbour(lab: Lab, directory: string): Promise<void> {
  const serial = join(lab.directory, 'neighbour/serial.log');
  if (!existsSync(serial)) return;
  copyFileSync(serial, join(directory, 'neighbour-serial.log'));
  const neighbour = await lab.neighbour().catch(() => undefined);
  const answer = await neighbour?.ask(neighbourReport, reportMs).catch(() => undefined);
  writeFileSync(
    join(directory, 'neighbour-guest.txt'),
    answer?.output ?? "the neighbour's shell says nothing\n",
  );
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
