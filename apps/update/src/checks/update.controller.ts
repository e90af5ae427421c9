import {
  type CheckRequest,
  type CheckResponse,
  type GetUpdateResponse,
  type SetConfigRequest,
  type SetConfigResponse,
  SystemUpdateConfig,
  UpdateServiceService,
} from '@incusos/contracts/update';
import { HOST, type Host, readTimeZone } from '@incusos/host';
import { type CallContext, GrpcController, type ServiceHandlers } from '@incusos/service';
import { commitState } from '@incusos/state-owner';
import { Inject } from '@nestjs/common';
import { checkUpdateConfiguration } from '../configuration/update-configuration.ts';
import { CheckSchedule } from '../schedule/check-schedule.ts';
import { UPDATE_STATE, type UpdateStore } from '../state/update-state.ts';
import { UpdateChecks } from './update-checks.service.ts';

@GrpcController(UpdateServiceService)
export class UpdateController implements ServiceHandlers<typeof UpdateServiceService> {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(UPDATE_STATE) private readonly store: UpdateStore,
    @Inject(UpdateChecks) private readonly checks: UpdateChecks,
    @Inject(CheckSchedule) private readonly schedule: CheckSchedule,
  ) {}

  async getUpdate(): Promise<GetUpdateResponse> {
    const state = this.checks.status.inZone(await readTimeZone(this.host.files));
    return { update: { config: this.store.current.update, state } };
  }

  async setConfig({ config = SystemUpdateConfig.create() }: SetConfigRequest): Promise<SetConfigResponse> {
    checkUpdateConfiguration(config);
    const { channel } = this.store.current.update;
    await commitState(this.store, 'update configured', (state) => ({ ...state, update: config }));
    if (config.channel !== channel) this.checks.status.forget();
    this.schedule.replan();
    return {};
  }

  /** With `os_only` the check is over when the reply comes; otherwise it goes on after the reply. */
  async check({ os_only }: CheckRequest, call: CallContext): Promise<CheckResponse> {
    if (os_only) await this.checks.run(call.signal);
    else void this.checks.runUnattended('user');
    return {};
  }
}
