/** Metrics of the appliance, taken when they are asked for. */
import type { DebugReport, DebugReportMetric } from '@incusos/contracts/system';
import type { Files } from '@incusos/host';

interface Metric {
  readonly name: string;
  readonly object?: string;
  readonly value: number;
}

/**
 * @param match metric families or prefixes of them, such as `memory`; empty = all.
 */
export async function collectReport(files: Files, match: readonly string[]): Promise<DebugReport> {
  const [uptime, load, memory, swaps] = await Promise.all([
    files.readText('/proc/uptime'),
    files.readText('/proc/loadavg'),
    files.readText('/proc/meminfo'),
    files.readText('/proc/swaps'),
  ]);
  const metrics: Metric[] = [
    { name: 'system.uptime_seconds', value: Number.parseFloat(uptime) },
    ...loadMetrics(load),
    ...memoryMetrics(memory),
    ...swapMetrics(swaps),
  ];
  return {
    media_type: 'application/json',
    timestamp: new Date().toISOString(),
    metrics: metrics
      .filter(({ name }) => isWanted(name, match))
      .map(({ name, object, value }): DebugReportMetric => ({ name, object, fields: {}, value })),
  };
}

function isWanted(name: string, match: readonly string[]): boolean {
  return match.length === 0 || match.some((part) => name.startsWith(part));
}

function loadMetrics(text: string): Metric[] {
  const [one, five, fifteen, processes = ''] = text.split(' ');
  return [
    { name: 'system.load.1m', value: Number(one) },
    { name: 'system.load.5m', value: Number(five) },
    { name: 'system.load.15m', value: Number(fifteen) },
    { name: 'system.processes', value: Number(processes.split('/')[1]) },
  ];
}

function memoryMetrics(text: string): Metric[] {
  const kept: Readonly<Record<string, string>> = {
    MemTotal: 'total',
    MemAvailable: 'available',
    SwapTotal: 'swap_total',
    SwapFree: 'swap_free',
  };
  const metrics: Metric[] = [];
  for (const [, key = '', kibibytes] of text.matchAll(/^(\w+):\s+(\d+) kB$/gmu)) {
    const name = kept[key];
    if (name !== undefined) metrics.push({ name: `memory.${name}_bytes`, value: Number(kibibytes) * 1024 });
  }
  return metrics;
}

function swapMetrics(text: string): Metric[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [object = '', , size] = line.split(/\s+/u);
      return object === '' ? [] : [{ name: 'swap.size_bytes', object, value: Number(size) * 1024 }];
    });
}
