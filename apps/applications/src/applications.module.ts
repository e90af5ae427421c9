import { HOST, type Host, openHost } from '@incusos/host';
import { attempt, LOGGER, type Logger } from '@incusos/service';
import { provideStateOwner } from '@incusos/state-owner';
import { type DynamicModule, Inject, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { ApplicationsController } from './applications.controller.ts';
import { ApplicationsService } from './applications.service.ts';
import { InstalledService } from './installed/installed.service.ts';
import { ApplicationsImport } from './state/applications-import.ts';
import { APPLICATIONS_STATE, openApplicationsState } from './state/applications-state.ts';

/** The applications on the appliance. */
@Module({})
export class ApplicationsModule implements OnApplicationBootstrap {
  constructor(
    @Inject(InstalledService) private readonly installed: InstalledService,
    @Inject(ApplicationsService) private readonly applications: ApplicationsService,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @param open the machine; the one this process runs on unless given. */
  static on(open: () => Promise<Host> = openHost): DynamicModule {
    return {
      module: ApplicationsModule,
      providers: [
        { provide: HOST, useFactory: open },
        { provide: APPLICATIONS_STATE, inject: [HOST], useFactory: openApplicationsState },
        InstalledService,
        ApplicationsService,
        ApplicationsController,
        ApplicationsImport,
        ...provideStateOwner({
          service: 'applications',
          store: APPLICATIONS_STATE,
          hooks: ApplicationsImport,
        }),
      ],
    };
  }

  /** A failure leaves the service with what it can do, and is said in the log. */
  async onApplicationBootstrap(): Promise<void> {
    await attempt(this.logger, 'The applications on the disk could not be recorded', () =>
      this.installed.adopt(),
    );
    await attempt(this.logger, 'The configuration of the applications could not be applied', () =>
      this.applications.applyStored(),
    );
  }
}
