/**
 * Draws the screen.
 *
 * Invariants: every 5 s what changed is drawn, every minute everything, and in between what parts ask for, at most four
 * times a second; a part that isn't there delays nothing.
 */
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { LogService } from '../log/log.service.ts';
import { ServicesHealth } from '../machine/health.service.ts';
import { MachineService } from '../machine/machine.service.ts';
import { MessagesService } from '../messages/messages.service.ts';
import { screen } from '../screen/screen.ts';
import type { View } from '../screen/view.ts';
import { Terminals } from '../terminal/terminals.ts';
import { ownMessages } from './own-messages.ts';
import { Redraw } from './redraw.ts';

const redrawMs = 5_000;
const clearMs = 60_000;
const turnMs = 1_000;
const restMs = 250;

@Injectable()
export class DisplayService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly timers: NodeJS.Timeout[] = [];
  private soon: NodeJS.Timeout | undefined;
  private cleared = 0;
  private stopping = false;

  constructor(
    @Inject(MachineService) private readonly machine: MachineService,
    @Inject(ServicesHealth) private readonly health: ServicesHealth,
    @Inject(LogService) private readonly log: LogService,
    @Inject(MessagesService) private readonly messages: MessagesService,
    @Inject(Terminals) private readonly terminals: Terminals,
    @Inject(Redraw) private readonly redraw: Redraw,
  ) {}

  onApplicationBootstrap(): void {
    this.redraw.onRequest(() => {
      this.soon ??= setTimeout(() => this.draw(), restMs);
    });
    this.draw();
    this.machine.refresh();
    this.timers.push(
      setInterval(() => {
        this.draw();
        this.machine.refresh();
      }, redrawMs),
      setInterval(() => {
        if (this.shownMessages().length > 1) this.draw();
      }, turnMs),
    );
  }

  /** The last that is seen before the machine is off, or before this process comes back. */
  onApplicationShutdown(): void {
    for (const timer of this.timers) clearInterval(timer);
    this.redraw.onRequest(() => undefined);
    this.stopping = true;
    this.draw();
    this.terminals.close();
  }

  private draw(): void {
    clearTimeout(this.soon);
    this.soon = undefined;
    const { consoles } = this.machine.current;
    if (consoles.length > 0) this.terminals.use(consoles);
    const view = this.view();
    const now = view.now.getTime();
    const everything = now - this.cleared >= clearMs;
    if (everything) this.cleared = now;
    this.terminals.draw((size) => screen(view, size), everything);
  }

  private shownMessages(): View['messages'] {
    return [...ownMessages(this.machine.current, this.stopping), ...this.messages.list];
  }

  private view(): View {
    const { environment, timeZone, interfaces, applications, recoveryKeysRetrieved } = this.machine.current;
    return {
      now: new Date(),
      timeZone,
      hostname: environment?.hostname ?? '',
      osName: environment?.os_name ?? 'IncusOS',
      osVersion: environment?.os_version ?? '',
      machineId: environment?.machine_id ?? '',
      ready: environment?.system_is_ready ?? false,
      missing: this.health.missing,
      interfaces,
      applications,
      recoveryKeysRetrieved,
      log: this.log.lines,
      messages: this.shownMessages(),
    };
  }
}
