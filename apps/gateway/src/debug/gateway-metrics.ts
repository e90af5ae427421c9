/** The gateway's own numbers in the report of metrics. */
import type { DebugReport } from '@incusos/contracts/system';
import { Inject, Injectable } from '@nestjs/common';
import { RequestLog } from '../http/request-log.ts';

type Metric = DebugReport['metrics'][number];

const service = 'gateway';

@Injectable()
export class GatewayMetrics {
  constructor(@Inject(RequestLog) private readonly requests: RequestLog) {}

  /**
   * A report with the gateway's metrics added.
   * @param match metric families or prefixes of them; empty = all.
   */
  addTo(report: DebugReport | undefined, match: readonly string[]): DebugReport {
    const own = this.metrics().filter(
      ({ name }) => match.length === 0 || match.some((part) => name.startsWith(part)),
    );
    return {
      media_type: report?.media_type ?? 'application/json',
      timestamp: report?.timestamp ?? new Date().toISOString(),
      metrics: [...(report?.metrics ?? []), ...own],
    };
  }

  private metrics(): Metric[] {
    const { rss, heapUsed } = process.memoryUsage();
    return [
      metric('process.uptime_seconds', Math.round(process.uptime())),
      metric('process.resident_memory_bytes', rss),
      metric('process.heap_used_bytes', heapUsed),
      ...[...this.requests.counts].map(([key, count]) => {
        const [method = '', status = ''] = key.split(' ');
        return metric('http.requests_total', count, { method, status });
      }),
    ];
  }
}

function metric(name: string, value: number, fields: Record<string, string> = {}): Metric {
  return { name, object: service, fields, value };
}
