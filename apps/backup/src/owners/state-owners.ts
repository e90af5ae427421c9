/** The services that own state, as the backup service calls them. */
import { StageImportRequest, StateOwnerService } from '@incusos/contracts/state';
import {
  connectService,
  DomainError,
  type ServiceClient,
  type ServiceConnection,
  serviceNames,
} from '@incusos/service';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { ServiceBackup } from '../archive/backup.ts';

/** What a restore is to be called in all services, and what they are to leave as it is. */
export interface RestoreRun {
  readonly id: string;
  readonly skip: readonly string[];
}

const chunkBytes = 64 * 1024;
/** What one service may take to save or export its state; ordinarily some milliseconds. */
const timeoutMs = 60_000;

@Injectable()
export class StateOwners implements OnModuleDestroy {
  /** Whose state a backup holds: every service's but our own, which is only about restores under way. */
  readonly services: readonly string[] = serviceNames.filter((name) => name !== 'backup');
  private readonly connections = new Map<string, ServiceConnection>();

  onModuleDestroy(): void {
    for (const connection of this.connections.values()) connection.close();
  }

  /** @throws DomainError naming the service when its state can't be had. */
  async export(service: string, signal: AbortSignal): Promise<ServiceBackup> {
    const owner = this.owner(service);
    try {
      const { schema_version } = await owner.describeState({}, { timeoutMs, signal });
      const files = new Map<string, Buffer[]>();
      for await (const { file } of owner.exportState({}, { timeoutMs, signal })) {
        if (file === undefined) continue;
        const chunks = files.get(file.name) ?? [];
        chunks.push(file.content);
        files.set(file.name, chunks);
      }
      const whole = [...files].map(([name, chunks]): [string, Buffer] => [name, Buffer.concat(chunks)]);
      return { service, schemaVersion: schema_version, files: new Map(whole) };
    } catch (error) {
      throw about(service, `the state of the ${service} service can't be backed up`, error);
    }
  }

  /** Lets a service check its part of a backup and keep it aside. */
  async stage({ id, skip }: RestoreRun, backup: ServiceBackup, signal: AbortSignal): Promise<void> {
    try {
      await this.owner(backup.service).stageImport(stageMessages(id, skip, backup), { timeoutMs, signal });
    } catch (error) {
      if (error instanceof DomainError && error.reason === 'INVALID_REQUEST') {
        throw new DomainError('INVALID_REQUEST', `unable to process state from backup: ${error.message}`, {
          cause: error,
        });
      }
      throw about(backup.service, `the state of the ${backup.service} service can't be restored`, error);
    }
  }

  async commit(service: string, restore_id: string): Promise<void> {
    await this.owner(service).commitImport({ restore_id }, { timeoutMs });
  }

  async abort(service: string, restore_id: string): Promise<void> {
    await this.owner(service).abortImport({ restore_id }, { timeoutMs });
  }

  private owner(service: string): ServiceClient<typeof StateOwnerService> {
    let connection = this.connections.get(service);
    if (connection === undefined) {
      connection = connectService(service);
      this.connections.set(service, connection);
    }
    return connection.use(StateOwnerService);
  }
}

async function* stageMessages(
  restore_id: string,
  skip: readonly string[],
  { schemaVersion, files }: ServiceBackup,
): AsyncGenerator<StageImportRequest> {
  yield StageImportRequest.create({ restore_id, skip: [...skip], schema_version: schemaVersion });
  for (const [name, content] of files) {
    let offset = 0;
    do {
      const end = offset + chunkBytes;
      const last = end >= content.length;
      yield StageImportRequest.create({
        file: { name, mode: 0o600, content: content.subarray(offset, end), last },
      });
      offset = end;
    } while (offset < content.length);
  }
}

/** The failure of one service as the caller should see it; it may have said who it is already. */
function about(service: string, what: string, error: unknown): unknown {
  if (!(error instanceof DomainError)) return error;
  if (error.reason === 'NOT_IMPLEMENTED')
    return new DomainError('OPERATION_FAILED', `${what}: it doesn't offer that`, { cause: error });
  if (error.reason === 'CANCELLED' || error.message.includes(service)) return error;
  return new DomainError(error.reason, `${what}: ${error.message}`, { cause: error });
}
