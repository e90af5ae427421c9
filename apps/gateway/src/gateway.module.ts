import { type DynamicModule, Module } from '@nestjs/common';
import { LOGGER, type Logger } from '@incusos/service';
import { ApplicationsController } from './applications/applications.controller.ts';
import { DebugController } from './debug/debug.controller.ts';
import { GatewayMetrics } from './debug/gateway-metrics.ts';
import { SecureBootController } from './debug/secure-boot.controller.ts';
import { Services } from './grpc/services.ts';
import { EnvelopeFilter } from './http/envelope.filter.ts';
import { LongReply } from './http/long-reply.ts';
import { RequestLog } from './http/request-log.ts';
import { InternalController } from './internal/internal.controller.ts';
import type { ServerIdentity } from './listeners/https-listener.ts';
import { SERVER_IDENTITY } from './listeners/tokens.ts';
import { RootController } from './root/root.controller.ts';
import { ServicesController } from './services/services.controller.ts';
import { BackupController } from './system/backup.controller.ts';
import { NetworkController } from './system/network.controller.ts';
import { SecurityController } from './system/security.controller.ts';
import { StorageController } from './system/storage.controller.ts';
import { SystemController } from './system/system.controller.ts';
import { UpdateController } from './system/update.controller.ts';
import { TrustedClients } from './trust/trusted-clients.ts';

/** What exists before the module does. */
export interface GatewayParts {
  readonly logger: Logger;
  readonly identity: ServerIdentity;
  readonly requests: RequestLog;
}

@Module({})
export class GatewayModule {
  static of({ logger, identity, requests }: GatewayParts): DynamicModule {
    return {
      module: GatewayModule,
      controllers: [
        RootController,
        ApplicationsController,
        DebugController,
        SecureBootController,
        ServicesController,
        SystemController,
        NetworkController,
        StorageController,
        SecurityController,
        UpdateController,
        BackupController,
        InternalController,
      ],
      providers: [
        { provide: LOGGER, useValue: logger },
        { provide: SERVER_IDENTITY, useValue: identity },
        { provide: RequestLog, useValue: requests },
        EnvelopeFilter,
        LongReply,
        GatewayMetrics,
        Services,
        TrustedClients,
      ],
    };
  }
}
