/** A cable between a card of a machine under test and a port of the neighbour. */
import type { TestMachine } from '../harness/test-machine.ts';

/** Where QEMU finds the socket of a cable: each machine that has one sees the same directory here. */
export const cableDirectory = '/cables';

export const portName = (port: number): string => `port${port}`;
export const cableSocket = (port: number): string => `${cableDirectory}/${portName(port)}`;

export interface CableEnds {
  readonly machine: TestMachine;
  readonly nic: string;
  readonly mac: string;
  readonly port: number;
  /** At the neighbour. */
  readonly setLink: (up: boolean) => Promise<void>;
}

export class Cable {
  /** The machine's card, by the name that it was plugged in with. */
  readonly nic: string;
  /** The machine's card's own MAC, for `hwaddr`. */
  readonly mac: string;
  /** The neighbour's card, such as `port1`. */
  readonly port: string;
  private readonly ends: CableEnds;

  constructor(ends: CableEnds) {
    this.ends = ends;
    this.nic = ends.nic;
    this.mac = ends.mac;
    this.port = portName(ends.port);
  }

  /** Pulls it out: both sides lose their link. */
  async pull(): Promise<void> {
    await this.set(false);
  }

  /** Plugs it in again. */
  async plug(): Promise<void> {
    await this.set(true);
  }

  private async set(up: boolean): Promise<void> {
    await this.ends.setLink(up);
    await this.ends.machine.cable(this.nic, up ? 'up' : 'down');
  }
}
