/** Starts one appliance for all test files, unless one is given. */
import type { TestProject } from 'vitest/node';
import type { MachineUnderTest } from './machine.ts';
import { givenAppliance, startAppliance } from './running.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    url: string;
    certificate: string;
    key: string;
    machine: MachineUnderTest | undefined;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const appliance = givenAppliance() ?? (await startAppliance());
  project.provide('url', appliance.url);
  project.provide('certificate', appliance.certificate);
  project.provide('key', appliance.key);
  project.provide('machine', appliance.machine);
  return appliance.stop;
}
