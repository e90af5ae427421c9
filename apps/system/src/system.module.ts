import { HOST, type Host, openHost } from '@incusos/host';
import { provideStateOwner } from '@incusos/state-owner';
import { type DynamicModule, Module } from '@nestjs/common';
import { AddonsController } from './addons/addons.controller.ts';
import { ConsolesService } from './consoles/consoles.service.ts';
import { DebugController } from './debug/debug.controller.ts';
import { EnvironmentService } from './environment/environment.service.ts';
import { Readiness } from './environment/readiness.ts';
import { KernelService } from './kernel/kernel.service.ts';
import { LoggingService } from './logging/logging.service.ts';
import { PowerService } from './power/power.service.ts';
import { ResourcesService } from './resources/resources.service.ts';
import { Startup } from './startup.ts';
import { SystemImport } from './state/system-import.ts';
import { journalUploadKeyFile, openSystemState, SYSTEM_STATE } from './state/system-state.ts';
import { SystemController } from './system.controller.ts';

/** The machine itself: identity, hardware, kernel, logging, power and journal. */
@Module({})
export class SystemModule {
  /** @param open the machine; the one this process runs on unless given. */
  static on(open: () => Promise<Host> = openHost): DynamicModule {
    return {
      module: SystemModule,
      providers: [
        { provide: HOST, useFactory: open },
        { provide: SYSTEM_STATE, inject: [HOST], useFactory: openSystemState },
        Readiness,
        EnvironmentService,
        ResourcesService,
        KernelService,
        LoggingService,
        PowerService,
        ConsolesService,
        SystemController,
        DebugController,
        AddonsController,
        SystemImport,
        Startup,
        ...provideStateOwner({
          service: 'system',
          store: SYSTEM_STATE,
          hooks: SystemImport,
          secrets: [{ name: journalUploadKeyFile }],
        }),
      ],
    };
  }
}
