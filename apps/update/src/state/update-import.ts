import type { StateOwnerHooks } from '@incusos/state-owner';
import { Inject, Injectable } from '@nestjs/common';
import { UpdateChecks } from '../checks/update-checks.service.ts';
import { CheckSchedule } from '../schedule/check-schedule.ts';
import type { UpdateState } from './update-state.ts';

/** Lets a configuration from a backup take effect: the next check is planned by it. */
@Injectable()
export class UpdateImport implements StateOwnerHooks<UpdateState> {
  constructor(
    @Inject(CheckSchedule) private readonly schedule: CheckSchedule,
    @Inject(UpdateChecks) private readonly checks: UpdateChecks,
  ) {}

  apply(): Promise<void> {
    this.checks.status.forget();
    this.schedule.replan();
    return Promise.resolve();
  }
}
