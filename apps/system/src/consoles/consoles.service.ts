/** Looks up the consoles of the machine. */
import { HOST, type Host } from '@incusos/host';
import { Inject, Injectable } from '@nestjs/common';
import type { StateStore } from '@incusos/state';
import { SYSTEM_STATE, type SystemState } from '../state/system-state.ts';
import { consoleDevices } from './console-devices.ts';

/** The door to a host that runs this machine as its guest. */
const guestChannel = '/dev/virtio-ports/org.linuxcontainers.incus';

@Injectable()
export class ConsolesService {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(SYSTEM_STATE) private readonly state: StateStore<SystemState>,
  ) {}

  /** The names of their devices below `/dev`. */
  async list(): Promise<string[]> {
    const { files } = this.host;
    const [active, commandLine, guest] = await Promise.all([
      files.readText('/sys/class/tty/console/active'),
      files.readText('/proc/cmdline'),
      files.exists(guestChannel),
    ]);
    const configured = this.state.current.kernel.console.map(({ device }) => device);
    return consoleDevices({ active, commandLine, configured, guest });
  }
}
