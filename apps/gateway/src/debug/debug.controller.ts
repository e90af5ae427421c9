/** `/1.0/debug`: what helps to find out why an appliance misbehaves. */
import { DebugKernel, DebugReport } from '@incusos/contracts/rest/system';
import type { DebugReport as DebugReportMessage } from '@incusos/contracts/system';
import { Body, Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { DomainError } from '@incusos/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Services } from '../grpc/services.ts';
import { timeLimits } from '../grpc/time-limits.ts';
import { answer } from '../http/answer.ts';
import { success } from '../http/envelope.ts';
import { queryValue, queryValues } from '../http/query.ts';
import { jsonLimitBytes, uploadChunks } from '../http/request-body.ts';
import { reading } from '../http/request-call.ts';
import { urlList } from '../http/request-origin.ts';
import { Upload } from '../http/routes.ts';
import { sendList } from '../http/stream-reply.ts';
import { GatewayMetrics } from './gateway-metrics.ts';

@Controller('/1.0/debug')
export class DebugController {
  constructor(
    @Inject(Services) private readonly services: Services,
    @Inject(GatewayMetrics) private readonly metrics: GatewayMetrics,
  ) {}

  @Get()
  list(@Req() request: FastifyRequest): string {
    return success(
      urlList(request.raw, '/1.0/debug', [
        'kernel',
        'log',
        'processes',
        'report',
        ':run-script',
        'secureboot',
      ]),
    );
  }

  @Get('kernel')
  async kernel(): Promise<string> {
    const { kernel } = await this.services.debug.getKernel({}, reading());
    return answer(DebugKernel, kernel);
  }

  @Get('log')
  async log(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const entries = this.services.debug.streamLog(
      {
        unit: queryValue(request, 'unit'),
        boot: queryValue(request, 'boot'),
        entries: queryValue(request, 'entries'),
        since: queryValue(request, 'since'),
        until: queryValue(request, 'until'),
      },
      reading({ timeoutMs: timeLimits.archive }),
    );
    await sendList(reply, textsOf(entries));
  }

  @Get('processes')
  async processes(): Promise<string> {
    const { processes } = await this.services.debug.getProcesses({}, reading());
    return success(JSON.stringify(processes));
  }

  @Get('report')
  async report(@Req() request: FastifyRequest): Promise<string> {
    const match = queryValues(request, 'match');
    return answer(DebugReport, this.metrics.addTo(await this.servicesReport(match), match));
  }

  @Upload('::run-script')
  async runScript(@Body() upload: unknown): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of uploadChunks(upload, jsonLimitBytes)) chunks.push(chunk);
    const script = Buffer.concat(chunks);
    const { output } = await this.services.debug.runScript({ script }, { timeoutMs: timeLimits.script });
    return success(JSON.stringify(output));
  }

  /** The gateway's own numbers are there even where the system service has none. */
  private async servicesReport(match: string[]): Promise<DebugReportMessage | undefined> {
    try {
      return (await this.services.debug.getReport({ match }, reading())).report;
    } catch (error) {
      if (error instanceof DomainError && error.reason === 'NOT_IMPLEMENTED') return undefined;
      throw error;
    }
  }
}

async function* textsOf(entries: AsyncIterable<{ entry: string }>): AsyncGenerator<string> {
  for await (const { entry } of entries) yield entry;
}
