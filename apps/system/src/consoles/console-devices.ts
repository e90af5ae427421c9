/** Which devices show what the machine shows. */

/** What decides about them. */
export interface ConsoleFacts {
  /** `/sys/class/tty/console/active`: the kernel's consoles, the last of which is `/dev/console`. */
  readonly active: string;
  /** `/proc/cmdline` */
  readonly commandLine: string;
  /** Names of the kernel configuration, such as `ttyS1`. */
  readonly configured: readonly string[];
  /** Whether Incus runs this machine as its guest, and shows its first serial port to whoever asks for its console. */
  readonly guest: boolean;
}

/** The screen of a machine is its first virtual terminal, which the kernel calls `tty0` while it is in front. */
const screen = 'tty1';

/** Where the boot's own messages or the journal go by the kernel's command line, the console stays theirs. */
const takenBySystem = /(?:^|\s)systemd\.journald\.forward_to_console(?:=(?:1|yes|true|on))?(?:\s|$)/u;

/** @returns names below `/dev`, each once. */
export function consoleDevices({ active, commandLine, configured, guest }: ConsoleFacts): string[] {
  const systemConsole = active.trim().split(/\s+/u).at(-1) ?? '';
  const own = takenBySystem.test(commandLine) ? [] : [systemConsole];
  const named = [screen, ...own, ...(guest ? ['ttyS0'] : []), ...configured];
  return [...new Set(named.map((name) => (name === 'tty0' ? screen : name)).filter((name) => name !== ''))];
}
