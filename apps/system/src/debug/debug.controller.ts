/** What helps to find out why an appliance misbehaves. */
import { createInterface } from 'node:readline';
import {
  DebugKernel,
  DebugServiceService,
  type DebugServiceGetKernelResponse,
  type GetProcessesResponse,
  type GetReportRequest,
  type GetReportResponse,
  type RunScriptResponse,
  type StreamLogRequest,
  type StreamLogResponse,
  type WriteMessageRequest,
  type WriteMessageResponse,
} from '@incusos/contracts/system';
import { type Host, HOST, ProgramError } from '@incusos/host';
import {
  type CallContext,
  DomainError,
  GrpcController,
  LOGGER,
  type Logger,
  type ServiceHandlers,
} from '@incusos/service';
import { Inject } from '@nestjs/common';
import { isRequestProblem, journalArguments } from './journal-query.ts';
import { cpuBaseline } from './cpu-baseline.ts';
import { parseModules } from './kernel-modules.ts';
import { collectReport } from './report.ts';
import { messageLevel } from './message-level.ts';

const loader = '/lib64/ld-linux-x86-64.so.2';

@GrpcController(DebugServiceService)
export class DebugController implements ServiceHandlers<typeof DebugServiceService> {
  /** The processor's level, which stays while the process runs. */
  private baseline: string | undefined;

  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async getKernel(): Promise<DebugServiceGetKernelResponse> {
    const { files } = this.host;
    const [version, architecture, modules] = await Promise.all([
      files.readText('/proc/sys/kernel/osrelease'),
      files.readText('/proc/sys/kernel/arch'),
      files.readText('/proc/modules'),
    ]);
    // Other architectures have no levels and another loader.
    const isX86 = architecture.trim() === 'x86_64';
    this.baseline ??= isX86 ? await this.readBaseline() : '';
    return {
      kernel: DebugKernel.create({
        version: version.trim(),
        architecture: architecture.trim(),
        cpu_baseline: this.baseline ?? '',
        modules: parseModules(modules),
      }),
    };
  }

  async *streamLog(query: StreamLogRequest, { signal }: CallContext): AsyncGenerator<StreamLogResponse> {
    const journal = this.host.programs.stream(['journalctl', ...journalArguments(query)], { signal });
    try {
      for await (const entry of createInterface({ input: journal.stdout, crlfDelay: Infinity })) {
        if (entry.startsWith('{')) yield { entry };
      }
      await journal.finished;
    } catch (error) {
      if (!(error instanceof ProgramError)) throw error;
      const reason = isRequestProblem(error.stderr) ? 'INVALID_REQUEST' : 'OPERATION_FAILED';
      throw new DomainError(reason, error.stderr === '' ? error.message : error.stderr, { cause: error });
    } finally {
      journal.stop();
    }
  }

  async getProcesses(): Promise<GetProcessesResponse> {
    const { stdout } = await this.host.programs.run(['ps', 'fauxww']);
    return { processes: stdout };
  }

  runScript(): RunScriptResponse {
    throw new DomainError('NOT_IMPLEMENTED', 'not implemented');
  }

  writeMessage({ message }: WriteMessageRequest): WriteMessageResponse {
    if (message === undefined || message.message === '') {
      throw new DomainError('INVALID_REQUEST', 'no log message provided', {
        fields: [{ field: 'message', reason: 'it is empty' }],
      });
    }
    this.logger.log(messageLevel(message.level), message.message);
    return {};
  }

  async getReport({ match }: GetReportRequest): Promise<GetReportResponse> {
    return { report: await collectReport(this.host.files, match) };
  }

  /** @returns nothing when the loader doesn't say; it is asked again the next time. */
  private async readBaseline(): Promise<string | undefined> {
    const help = await this.host.programs.run([loader, '--help']).catch(() => undefined);
    return help === undefined ? undefined : cpuBaseline(help.stdout);
  }
}
