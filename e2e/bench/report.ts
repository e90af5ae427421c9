import type { ConfigurationFigures, Times } from './configuration.ts';
import type { LargeNetworkReport } from './large-network.ts';
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
  readonly configuration: ConfigurationFigures;
  readonly endpoints: readonly {
    readonly method: string;
    readonly path: string;
    readonly results: readonly LoadResult[];
  }[];
  readonly largeNetwork: LargeNetworkReport;
}

const MiB = 1024;

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(header), row(header.map(() => '---')), ...rows.map(row)].join('\n');
}

/** The figures as Markdown tables. */
export function formatReport({
  machine,
  start,
  memory,
  configuration,
  endpoints,
  largeNetwork,
}: Report): string {
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
    configurationTable(configuration),
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
    formatLargeNetwork(largeNetwork),
    '',
    '',
  ].join('\n');
}

export function formatLargeNetwork(report: LargeNetworkReport): string {
  const { bytes, reads, change, meanwhile, devices, touched, idle } = report;
  return table(
    ['network of 64 interfaces, 16 bonds, 200 VLANs', 'found'],
    [
      ['network devices of the machine', String(devices)],
      ['bytes of one answer', String(bytes)],
      ...reads.map(({ connections, p50, p99, requestsPerSecond }) => [
        `GET /os/1.0/system/network, ${connections} at a time`,
        `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, ${requestsPerSecond.toFixed(0)} requests/s`,
      ]),
      ['a change to one interface', `${change.toFixed(1)} s`],
      [
        'GET while it is applied',
        `${meanwhile.requests} answers, p50 ${meanwhile.p50.toFixed(2)} ms, p99 ${meanwhile.p99.toFixed(2)} ms, longest ${meanwhile.longest.toFixed(0)} ms`,
      ],
      ['network devices that it touched', `${touched.length}: ${touched.join(', ')}`],
      ['network service, a minute in which nobody asks', `${idle.toFixed(2)} s of processor time`],
    ],
  );
}

function configurationTable({ interfaces, bonds, vlans, files, ...steps }: ConfigurationFigures): string {
  const what = `network configuration of ${interfaces} interfaces, ${bonds} bonds, ${vlans} VLANs (${files} files)`;
  const times = (name: string, { first, median }: Times): string[] => [
    name,
    first.toFixed(1),
    median.toFixed(1),
  ];
  return table(
    [what, 'first, ms of processor time', 'median'],
    [
      times('checked, before and after names are resolved', steps.validate),
      times('warnings', steps.warn),
      times('made into files', steps.render),
    ],
  );
}
