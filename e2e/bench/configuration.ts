/** How much processor time the network service needs to check a large configuration and to make its files. */
import { LocalPrograms } from '@incusos/host';

/** Milliseconds of processor time. */
export interface Times {
  /** In a process that has just started, before anything was compiled. */
  readonly first: number;
  readonly median: number;
}

export interface ConfigurationFigures {
  readonly interfaces: number;
  readonly bonds: number;
  readonly vlans: number;
  readonly files: number;
  /** Both passes, as a PUT does them. */
  readonly validate: Times;
  readonly warn: Times;
  readonly render: Times;
}

/** Measured in a process of its own. */
export async function measureConfiguration(): Promise<ConfigurationFigures> {
  const { stdout } = await new LocalPrograms().run([
    process.execPath,
    'apps/network/src/testing/configuration-bench.ts',
  ]);
  return JSON.parse(stdout) as ConfigurationFigures;
}
