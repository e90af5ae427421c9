import {
  type AbortImportRequest,
  type AbortImportResponse,
  type CommitImportRequest,
  type CommitImportResponse,
  type DescribeStateResponse,
  type ExportStateResponse,
  type RecoverStateRequest,
  type RecoverStateResponse,
  type ResetStateResponse,
  type StageImportRequest,
  type StageImportResponse,
  StateOwnerService,
} from '@incusos/contracts/state';
import { HOST, type Host } from '@incusos/host';
import {
  type CallContext,
  DomainError,
  ExclusiveRunner,
  GrpcController,
  LOGGER,
  type Logger,
  type ServiceHandlers,
} from '@incusos/service';
import { StateRefusedError } from '@incusos/state';
import { Inject, type OnModuleInit } from '@nestjs/common';
import { readImport, requireRestoreId } from './incoming-files.ts';
import { StagedImports, stateFileName } from './staged-imports.ts';
import { stateFailure } from './state-failure.ts';
import { STATE_OWNER_SETTINGS, type StateOwnerSettings } from './state-owner-options.ts';

/** Well below what one gRPC message may hold, so that a slow reader keeps little in memory. */
const chunkBytes = 64 * 1024;

/** Answers `incusos.state.v1.StateOwner` for one service. */
@GrpcController(StateOwnerService)
export class StateOwnerController implements ServiceHandlers<typeof StateOwnerService>, OnModuleInit {
  private readonly imports: StagedImports;
  private readonly runner = new ExclusiveRunner();

  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(STATE_OWNER_SETTINGS) private readonly settings: StateOwnerSettings,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.imports = new StagedImports(host, settings, logger);
  }

  async onModuleInit(): Promise<void> {
    await this.imports.finishInterrupted();
  }

  describeState(): DescribeStateResponse {
    const { service, store } = this.settings;
    const { problem } = store;
    return {
      service,
      schema_version: store.version,
      problem:
        problem === undefined
          ? undefined
          : { error: problem.error.message, previous_saved_at: problem.previous?.savedAt },
    };
  }

  async *exportState(): AsyncGenerator<ExportStateResponse> {
    const files = await this.exclusive(() => this.snapshot());
    for (const [name, content] of files) {
      let offset = 0;
      do {
        const end = offset + chunkBytes;
        yield {
          file: { name, mode: 0o600, content: content.subarray(offset, end), last: end >= content.length },
        };
        offset = end;
      } while (offset < content.length);
    }
  }

  async stageImport(
    messages: AsyncIterable<StageImportRequest>,
    call?: CallContext,
  ): Promise<StageImportResponse> {
    const incoming = await readImport(messages).catch((error: unknown) => {
      call?.signal.throwIfAborted();
      throw error;
    });
    await this.exclusive(() => this.imports.stage(incoming));
    return {};
  }

  async commitImport({ restore_id }: CommitImportRequest): Promise<CommitImportResponse> {
    requireRestoreId(restore_id);
    await this.exclusive(() => this.imports.commit(restore_id));
    return {};
  }

  async abortImport({ restore_id }: AbortImportRequest): Promise<AbortImportResponse> {
    requireRestoreId(restore_id);
    await this.exclusive(() => this.imports.abort(restore_id));
    return {};
  }

  async resetState(): Promise<ResetStateResponse> {
    await this.exclusive(async () => {
      const { store } = this.settings;
      const previous = store.current;
      await store.reset('factory reset');
      for (const name of await this.imports.secretNames())
        await this.host.files.remove(`${store.directory}/${name}`);
      await this.imports.takeEffect(previous);
    });
    return {};
  }

  async recoverState({ use }: RecoverStateRequest): Promise<RecoverStateResponse> {
    if (use !== 'previous' && use !== 'initial') {
      throw new DomainError('INVALID_REQUEST', `unknown choice '${use}', choose 'previous' or 'initial'`, {
        fields: [{ field: 'use', reason: "must be 'previous' or 'initial'" }],
      });
    }
    return this.exclusive(async () => {
      const previous = this.settings.store.current;
      const refused_file = await this.settings.store.recover(use).catch((error: unknown) => {
        if (error instanceof StateRefusedError)
          throw new DomainError('PRECONDITION_FAILED', error.message, { cause: error });
        throw error;
      });
      await this.imports.takeEffect(previous);
      return { refused_file };
    });
  }

  private async snapshot(): Promise<Map<string, Buffer>> {
    const { store } = this.settings;
    if (store.problem !== undefined) {
      throw new DomainError(
        'UNAVAILABLE',
        `${store.problem.error.message}; it has to be recovered before it can be backed up`,
      );
    }
    const files = new Map<string, Buffer>([[stateFileName, Buffer.from(store.exportText())]]);
    for (const name of await this.imports.secretNames()) {
      files.set(name, await this.host.files.readBytes(`${store.directory}/${name}`));
    }
    return files;
  }

  private async exclusive<R>(work: () => Promise<R>): Promise<R> {
    try {
      return await this.runner.run(work);
    } catch (error) {
      throw stateFailure(error);
    }
  }
}
