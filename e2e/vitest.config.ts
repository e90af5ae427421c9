import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['api/**/*.spec.ts', 'client/**/*.spec.ts', 'start/**/*.spec.ts'],
    globalSetup: ['appliance/setup.ts'],
    // The appliance may run in a virtual machine without acceleration, where a reboot takes minutes.
    testTimeout: 900_000,
    hookTimeout: 600_000,
    // One appliance is shared: what one file changes, another would see.
    fileParallelism: false,
  },
});
