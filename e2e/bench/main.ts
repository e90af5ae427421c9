/** `npm run bench`: how fast the appliance starts and answers, and how much memory it takes, on this machine. */
import { cpus, release } from 'node:os';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { LocalFiles } from '@incusos/host';
import { startAppliance } from '../appliance/running.ts';
import { measureConfiguration } from './configuration.ts';
import { reads, write } from './endpoints.ts';
import { benchLargeNetwork } from './large-network.ts';
import { type Load, type LoadResult, measure } from './load.ts';
import { memoryBelow } from './memory.ts';
import { formatLargeNetwork, formatReport, type Report } from './report.ts';

/** How many requests are measured, by connections. */
const plan = [
  { connections: 1, warmUp: 300, requests: 1_500 },
  { connections: 10, warmUp: 500, requests: 5_000 },
  { connections: 100, warmUp: 500, requests: 5_000 },
];

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function bench(scale: number): Promise<Omit<Report, 'largeNetwork'>> {
  note('checking and rendering a large network configuration …');
  const configuration = await measureConfiguration();
  note('starting the appliance …');
  const warm: number[] = [];
  const cold = await startAppliance();
  await cold.stop();
  for (let round = 0; round < 2; round += 1) {
    const again = await startAppliance();
    warm.push(again.readyAfter ?? Number.NaN);
    await again.stop();
  }
  const appliance = await startAppliance();
  try {
    warm.push(appliance.readyAfter ?? Number.NaN);
    note('letting it come to rest …');
    await sleep(10_000);
    const memory = await memoryBelow(appliance.pid ?? 0);
    const endpoints: Report['endpoints'][number][] = [];
    for (const load of [...reads, write] satisfies Load[]) {
      note(`${load.method} ${load.path}`);
      const results: LoadResult[] = [];
      for (const { connections, warmUp, requests } of plan) {
        results.push(await measure(appliance, load, connections, warmUp * scale, requests * scale));
      }
      endpoints.push({ method: load.method, path: load.path, results });
    }
    const [cpu] = cpus();
    return {
      machine: {
        cpu: cpu?.model ?? 'unknown',
        cores: cpus().length,
        kernel: release(),
        node: process.version,
      },
      start: { cold: cold.readyAfter ?? Number.NaN, warm },
      memory,
      configuration,
      endpoints,
    };
  } finally {
    await appliance.stop();
  }
}

const program = new Command('bench')
  .description('Measures start-up, memory and the speed of every endpoint on this machine.')
  .option('--json <file>', 'writes the figures to a file, too')
  .option('--quick', 'a tenth of the requests')
  .addOption(new Option('--only <part>', 'measures nothing else').choices(['large-network']));
program.parse();
const { json, quick, only } = program.opts<{ json?: string; quick?: boolean; only?: string }>();
const scale = quick === true ? 0.1 : 1;
if (only === 'large-network') {
  process.stdout.write(`${formatLargeNetwork(await benchLargeNetwork(scale))}\n`);
  process.exit();
}
const measured = await bench(scale);
note('a large network …');
const report: Report = { ...measured, largeNetwork: await benchLargeNetwork(scale) };
process.stdout.write(formatReport(report));
if (json !== undefined) {
  const path = resolve(process.env['INIT_CWD'] ?? '.', json);
  await new LocalFiles('/').writeAtomic(path, `${JSON.stringify(report, undefined, 2)}\n`);
}
