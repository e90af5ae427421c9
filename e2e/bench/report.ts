import type { LoadResult } from './load.ts';
import type { ProcessMemory } from './memory.ts';

/** What one run found. */
export interface Report {
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly kernel: string;
    readonly node: string;
  };
  readonly start: { readonly cold: number; readonly warm: readonly number[] };
  readonly memory: readonly ProcessMemory[];
  readonly endpoints: readonly {
    readonly method: string;
    readonly path: string;
    readonly results: readonly LoadResult[];
  }[];
}

const MiB = 1024;

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(header), row(header.map(() => '---')), ...rows.map(row)].join('\n');
}

/** The figures as Markdown tables. */
export function formatReport({ machine, start, memory, endpoints }: Report): string {
  const total = memory.reduce((sum, { pss }) => sum + pss, 0);
  const seconds = (value: number): string => `${value.toFixed(1)} s`;
  return [
    `Machine: ${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, Node ${machine.node}`,
    '',
    table(
      ['start-up: spawn until all are healthy', 'time'],
      [
        ['first', seconds(start.cold)],
        ['later (each)', start.warm.map(seconds).join(', ')],
      ],
    ),
    '',
    table(
      ['process', 'PSS, idle'],
      [
        ...memory.map(({ name, pss }) => [name, `${(pss / MiB).toFixed(1)} MiB`]),
        ['**sum**', `**${(total / MiB).toFixed(1)} MiB**`],
      ],
    ),
    '',
    table(
      ['endpoint', 'connections', 'p50 ms', 'p99 ms', 'requests/s'],
      endpoints.flatMap(({ method, path, results }) =>
        results.map(({ connections, p50, p99, requestsPerSecond }) => [
          `${method} ${path}`,
          String(connections),
          p50.toFixed(2),
          p99.toFixed(2),
          requestsPerSecond.toFixed(0),
        ]),
      ),
    ),
    '',
    '',
  ].join('\n');
}
