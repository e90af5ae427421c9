/** Reads from the serial console how far a boot is. */

export interface BootEvent {
  readonly kind: 'stage' | 'service' | 'problem';
  readonly text: string;
}

interface Stage {
  readonly sign: RegExp;
  readonly text: string;
}

const firmwareSign = /^BdsDxe: (?:loading|starting) /u;

/** In the order of a boot; one that didn't show is passed over when a later one does. */
const stages: readonly Stage[] = [
  { sign: firmwareSign, text: 'the firmware starts the boot loader' },
  {
    sign: /Enrolling secure boot keys|Secure Boot keys successfully enrolled/iu,
    text: 'the boot loader enrols the Secure Boot keys, and restarts the machine',
  },
  { sign: /^\[ *0\.\d+\] /u, text: 'the kernel runs' },
  { sign: /Booting initrd of /u, text: 'the initrd looks for the system' },
  { sign: /Finished systemd-veritysetup@usr\./u, text: '/usr is there, checked by dm-verity' },
  {
    sign: /systemd-repart\[\d+\]: (?:Applying changes|Encrypting future partition)/u,
    text: 'first boot: swap, root and local-data are made and encrypted',
  },
  { sign: /Finished systemd-cryptsetup@root\./u, text: 'the TPM opened the root partition' },
  { sign: /systemd\[1\]: Switching root\.|^Welcome to IncusOS!/u, text: 'the system starts' },
  { sign: /Starting incus-os-[a-z]+\.service/u, text: 'the services start' },
];
const kernelStage = stages.findIndex(({ text }) => text === 'the kernel runs');

const serviceSign = /(?:Started|Finished) incus-os-(?<name>[a-z]+)\.service/u;
/** A unit's name is in what systemd shows, cut by `…` when it is long. */
const failureSign = /^\[FAILED\] Failed to \S+ (?<unit>[^ ]+)/u;
/** What else keeps a boot from going on. */
const problems: readonly Stage[] = [
  { sign: /^BdsDxe: No bootable option/u, text: 'the firmware finds nothing to boot' },
  { sign: /Kernel panic - not syncing/u, text: 'the kernel panicked' },
  {
    sign: /Access denied|Security Violation/iu,
    text: 'Secure Boot refuses what is not signed by the enrolled keys',
  },
  {
    sign: /You are in (?:emergency|rescue) mode|Reached target (?:emergency|rescue)\.target/u,
    text: 'the boot ended in emergency mode',
  },
];

export class BootStages {
  private at = -1;
  private readonly told = new Set<string>();

  /** Takes a line of the console, without orders to the terminal. @returns what is new by it. */
  take(line: string): BootEvent | undefined {
    const found = stages.findLastIndex(({ sign }) => sign.test(line));
    const text = stages[found]?.text;
    if (text !== undefined && found > this.at) {
      this.at = found;
      return { kind: 'stage', text };
    }
    return this.serviceOf(line) ?? this.problemOf(line);
  }

  /** Whether a line says that the machine was restarted after its kernel ran. */
  isRestart(line: string): boolean {
    return this.at >= kernelStage && firmwareSign.test(line);
  }

  /** Whether there is an operating system that a power button could reach. */
  get kernelRuns(): boolean {
    return this.at >= kernelStage;
  }

  private serviceOf(line: string): BootEvent | undefined {
    const name = serviceSign.exec(line)?.groups?.['name'];
    return name === undefined ? undefined : this.once({ kind: 'service', text: name });
  }

  private problemOf(line: string): BootEvent | undefined {
    const unit = failureSign.exec(line)?.groups?.['unit'];
    if (unit !== undefined) return this.once({ kind: 'problem', text: `${unit} failed` });
    const problem = problems.find(({ sign }) => sign.test(line));
    return problem === undefined ? undefined : this.once({ kind: 'problem', text: problem.text });
  }

  private once(event: BootEvent): BootEvent | undefined {
    const key = `${event.kind} ${event.text}`;
    if (this.told.has(key)) return undefined;
    this.told.add(key);
    return event;
  }
}
