import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['api/**/*.spec.ts', 'client/**/*.spec.ts', 'start/**/*.spec.ts'],
    globalSetup: ['appliance/setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 180_000,
    // One appliance is shared: what one file changes, another would see.
    fileParallelism: false,
  },
});
