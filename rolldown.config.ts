/**
 * Bundles every process into one file: `dist/apps/<name>/main.mjs`, and the emulated machine into a module
 * that a service loads at run time, so that no shipped service contains it.
 */
import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineConfig, type Plugin, type RolldownOptions } from 'rolldown';

/** What Nest asks for only when an optional transport or adapter is used; none of them is. */
const neverUsed = [
  '@nestjs/websockets',
  '@nestjs/websockets/socket-module',
  '@nestjs/websockets/socket-module.js',
  '@nestjs/microservices',
  '@nestjs/microservices/microservices-module',
  '@nestjs/microservices/microservices-module.js',
  '@nestjs/platform-express',
  '@fastify/static',
  '@fastify/view',
  '@fastify/multipart',
];

/** Nest's own use of these is for its ValidationPipe, which would bring them along whole. */
const nestOptional = /^class-(?:validator|transformer)$/;

/** One character beyond Latin-1 makes V8 keep a whole bundle with two bytes a character, in every process. */
const asciiOnly: Plugin = {
  name: 'ascii-only',
  generateBundle: (_options, bundle) => {
    for (const file of Object.values(bundle)) {
      if (file.type === 'chunk') file.code = file.code.replaceAll(/[^\0-\x7f]/g, escaped);
    }
  },
};

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function bundle(input: string, file: string): RolldownOptions {
  return {
    input,
    platform: 'node',
    external: (id, importer) =>
      neverUsed.includes(id) || (nestOptional.test(id) && importer?.includes('/@nestjs/') === true),
    plugins: [asciiOnly],
    // The CommonJS entry that Node gets brings every validator along, the world's phone numbers included.
    resolve: { alias: { 'class-validator': resolve('node_modules/class-validator/esm2015/index.js') } },
    tsconfig: 'tsconfig.json',
    transform: { target: 'node24' },
    output: {
      file,
      format: 'esm',
      codeSplitting: false,
      keepNames: true,
      sourcemap: true,
      comments: false,
      // The text of a bundle stays in memory: no more of it than is needed, but names as they are.
      minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
    },
  };
}

const apps = readdirSync('apps').filter((name) => existsSync(`apps/${name}/src/main.ts`));

export default defineConfig([
  ...apps.map((name) => bundle(`apps/${name}/src/main.ts`, `dist/apps/${name}/main.mjs`)),
  bundle('libs/host-emulated/src/index.ts', 'dist/libs/host-emulated/host-emulated.mjs'),
  bundle('e2e/bench/main.ts', 'dist/e2e/bench/main.mjs'),
]);
