/** What a restored, reset or recovered state changes on the machine. */
import { SystemLoggingConfig } from '@incusos/contracts/system';
import { type Host, HOST } from '@incusos/host';
import type { StateStore } from '@incusos/state';
import type { StateOwnerHooks } from '@incusos/state-owner';
import { Inject, Injectable } from '@nestjs/common';
import { KernelService } from '../kernel/kernel.service.ts';
import { checkLoggingConfig } from '../logging/logging-rules.ts';
import { LoggingService, removeUnusedKeys } from '../logging/logging.service.ts';
import { SYSTEM_STATE, type SystemState } from './system-state.ts';

@Injectable()
export class SystemImport implements StateOwnerHooks<SystemState> {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(SYSTEM_STATE) private readonly state: StateStore<SystemState>,
    @Inject(KernelService) private readonly kernel: KernelService,
    @Inject(LoggingService) private readonly logging: LoggingService,
  ) {}

  transform(data: SystemState): SystemState {
    // The key travels as a file of its own and isn't here to be compared.
    const { journal_upload, syslog } = data.logging;
    checkLoggingConfig(
      SystemLoggingConfig.fromPartial({
        syslog: syslog ?? {},
        journal_upload: { ...journal_upload, tls_client_certificate: '', tls_client_key: '' },
      }),
    );
    return data;
  }

  async apply(previous: SystemState): Promise<void> {
    await this.kernel.applyStored(previous.kernel);
    await this.logging.applyStored();
    await removeUnusedKeys(this.host, this.state);
  }
}
