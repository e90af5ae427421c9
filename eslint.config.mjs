/**
 * Two things are enforced here beside the usual: who may import whom (by the tags of each project), and that only the
 * door to the machine starts programs or touches files.
 */
import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier/flat';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const programs = ['child_process', 'node:child_process', 'cluster', 'node:cluster'].map((name) => ({
  name,
  message: 'Only libs/host starts programs: use Host.programs.',
}));

const files = ['fs', 'node:fs', 'fs/promises', 'node:fs/promises'].map((name) => ({
  name,
  message: 'Only libs/host touches files: use Host.files.',
}));

/** Apps meet in proto/ only, whatever name one is called by. */
const apps = [{ group: ['@incusos/app-*'], message: 'Imports of apps are forbidden.' }];

/** What each room may import; tests may also use the emulated machine. */
const rooms = {
  contracts: [],
  host: [],
  service: ['contracts'],
  'host-emulated': ['host'],
  state: ['host'],
  'state-owner': ['contracts', 'host', 'service', 'state'],
  jobs: ['service'],
  images: ['contracts'],
  seeds: ['contracts', 'host'],
  'proxy-settings': [],
  proxy: ['host', 'proxy-settings'],
  gateway: ['contracts', 'service'],
  console: ['contracts', 'service'],
  emulator: ['contracts', 'host', 'host-emulated', 'service', 'seeds', 'images'],
  ...Object.fromEntries(
    ['network', 'storage', 'update', 'security', 'backup', 'applications', 'system'].map((app) => [
      app,
      ['contracts', 'host', 'service', 'state', 'state-owner', 'jobs', 'images', 'seeds', 'proxy-settings'],
    ]),
  ),
};

function boundaries(testOnly) {
  return {
    '@nx/enforce-module-boundaries': [
      'error',
      {
        enforceBuildableLibDependency: false,
        checkDynamicDependenciesExceptions: ['.*'],
        depConstraints: [
          { sourceTag: 'type:app', onlyDependOnLibsWithTags: ['type:lib'] },
          { sourceTag: 'type:lib', onlyDependOnLibsWithTags: ['type:lib'] },
          { sourceTag: 'type:e2e', onlyDependOnLibsWithTags: ['type:lib'] },
          ...Object.entries(rooms).map(([room, others]) => ({
            sourceTag: `scope:${room}`,
            onlyDependOnLibsWithTags: [room, ...others, ...testOnly].map((name) => `scope:${name}`),
          })),
        ],
      },
    ],
  };
}

export default defineConfig(
  globalIgnores([
    'eslint.config.mjs',
    '**/dist/',
    '**/node_modules/',
    'libs/contracts/src/generated/',
    'coverage/',
  ]),
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { '@nx': nx },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      // A number or a boolean in a message is what it looks like.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // Nest's modules are empty classes with a decorator.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true, allowEmpty: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // An interface's asynchronous method may have an implementation that needs no waiting.
      '@typescript-eslint/require-await': 'off',
      'no-restricted-imports': ['error', { paths: [...programs, ...files], patterns: apps }],
      'max-lines': ['error', { max: 600, skipBlankLines: true, skipComments: true }],
      // Plain objects are the usual way to give Nest and winston their options.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      eqeqeq: 'error',
      ...boundaries([]),
    },
  },
  {
    files: ['libs/host/src/**', 'libs/host-emulated/src/**'],
    rules: { 'no-restricted-imports': ['error', { patterns: apps }] },
  },
  {
    // Sockets, the gateway's own key and the console's terminals are the process's own room.
    files: ['libs/service/src/lifecycle/**', 'apps/gateway/src/room/**', 'apps/console/src/terminal/**'],
    rules: { 'no-restricted-imports': ['error', { paths: programs, patterns: apps }] },
  },
  {
    // systemd is told by its own program that a service is ready.
    files: ['libs/service/src/lifecycle/service-manager.ts'],
    rules: { 'no-restricted-imports': ['error', { paths: files, patterns: apps }] },
  },
  {
    files: ['**/*.spec.ts', '**/testing/**', 'e2e/**', 'libs/contracts/tools/**', '*.config.ts', 'bin/**'],
    rules: {
      'no-restricted-imports': ['error', { paths: programs, patterns: apps }],
      'max-lines': 'off',
      // Vitest's matchers such as expect.any() have no other type than any.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      ...boundaries([
        'host',
        'host-emulated',
        'images',
        'service',
        'contracts',
        'state',
        'state-owner',
        'jobs',
      ]),
    },
  },
  {
    // What develops and checks the project, and never ships.
    files: ['libs/contracts/tools/**', 'bin/**', 'image/tools/**', 'e2e/vm/**'],
    rules: { 'no-restricted-imports': 'off', '@nx/enforce-module-boundaries': 'off' },
  },
  prettier,
);
