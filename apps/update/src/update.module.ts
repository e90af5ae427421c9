import { HOST, type Host, openHost } from '@incusos/host';
import { provideJobs } from '@incusos/jobs';
import { LOGGER } from '@incusos/service';
import { provideStateOwner } from '@incusos/state-owner';
import { type DynamicModule, Module } from '@nestjs/common';
import { UpdateChecks } from './checks/update-checks.service.ts';
import { UpdateController } from './checks/update.controller.ts';
import { type FetchLimits, fetchLimits } from './feed/fetch-file.ts';
import { FETCH_LIMITS } from './feed/fetch-limits.ts';
import { Peers } from './peers.ts';
import { SECURITY_CLIENT } from './providers/machine-identity.ts';
import { ProviderController } from './providers/provider.controller.ts';
import { Providers } from './providers/providers.service.ts';
import {
  CheckSchedule,
  SCHEDULE_TIMES,
  type ScheduleTimes,
  scheduleTimes,
} from './schedule/check-schedule.ts';
import { APPLICATIONS_CLIENT } from './schedule/primary-application.ts';
import { openSeededState } from './state/first-boot.ts';
import { UpdateImport } from './state/update-import.ts';
import { UPDATE_STATE } from './state/update-state.ts';

/** What a test may decide; the service's own unless given. */
export interface UpdateSettings {
  readonly limits?: FetchLimits;
  readonly times?: ScheduleTimes;
}

@Module({})
export class UpdateModule {
  /** @param open the machine; the one this process runs on unless given. */
  static on(
    open: () => Promise<Host> = openHost,
    { limits = fetchLimits, times = scheduleTimes }: UpdateSettings = {},
  ): DynamicModule {
    return {
      module: UpdateModule,
      providers: [
        { provide: HOST, useFactory: open },
        { provide: FETCH_LIMITS, useValue: limits },
        { provide: SCHEDULE_TIMES, useValue: times },
        { provide: UPDATE_STATE, inject: [HOST, LOGGER], useFactory: openSeededState },
        provideJobs('update'),
        Peers,
        { provide: SECURITY_CLIENT, inject: [Peers], useFactory: ({ security }: Peers) => security },
        {
          provide: APPLICATIONS_CLIENT,
          inject: [Peers],
          useFactory: ({ applications }: Peers) => applications,
        },
        Providers,
        UpdateChecks,
        CheckSchedule,
        UpdateController,
        ProviderController,
        UpdateImport,
        ...provideStateOwner({ service: 'update', store: UPDATE_STATE, hooks: UpdateImport }),
      ],
    };
  }
}
