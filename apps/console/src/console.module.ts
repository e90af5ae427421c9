import { Module } from '@nestjs/common';
import { DisplayService } from './display/display.service.ts';
import { Redraw } from './display/redraw.ts';
import { LogService } from './log/log.service.ts';
import { ServicesHealth } from './machine/health.service.ts';
import { MachineService } from './machine/machine.service.ts';
import { MessagesController } from './messages/messages.controller.ts';
import { MessagesService } from './messages/messages.service.ts';
import { Terminals } from './terminal/terminals.ts';

/** What the machine's own screen shows: read only, with no way in. */
@Module({
  providers: [
    Redraw,
    LogService,
    MachineService,
    ServicesHealth,
    MessagesService,
    MessagesController,
    Terminals,
    DisplayService,
  ],
})
export class ConsoleModule {}
