/**
 * Generates libs/contracts/src/generated from proto/: messages and gRPC services, REST structures and DTO classes.
 *
 * Run: `node libs/contracts/tools/generate.ts`
 *
 * The result is written next to its place and renamed in one go, so that an interrupted run leaves the former one.
 */
import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { readImage } from './descriptors.ts';
import { dtoModules } from './dtos.ts';
import { restTables } from './rest-tables.ts';

const root = join(import.meta.dirname, '../../..');
const protoDir = join(root, 'proto');
const outDir = join(root, 'libs/contracts/src/generated');

/** Runs buf in proto/ with the workspace's own plugins on its path. */
function buf(...args: string[]): void {
  const path = [join(root, 'node_modules/.bin'), process.env['PATH'] ?? ''].join(delimiter);
  const { status, error } = spawnSync('buf', args, {
    cwd: protoDir,
    stdio: 'inherit',
    env: { ...process.env, PATH: path },
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`buf ${args[0] ?? ''} failed`);
}

/**
 * ts-proto exports some helpers from every file, which clash as soon as two files are exported together; and it types
 * free JSON as `any`.
 */
function tidy(source: string): string {
  return source
    .replace(/^export const protobuf(Package|FileName) = .*;\n+/gm, '')
    .replace(/^export (type DeepPartial<|interface MessageFns<)/gm, '$1')
    .replace(/\[key: string\]: any( \| undefined)?/g, '[key: string]: unknown')
    .replace(/^( +\w+\??: )any( \| undefined)?;/gm, '$1unknown;');
}

/** Writes one module for each subsystem, and an index that names them all. */
function writeModules(dir: string, modules: ReadonlyMap<string, string>): void {
  mkdirSync(dir);
  for (const [subsystem, text] of modules) writeFileSync(join(dir, `${subsystem}.ts`), text);
  const names = [...modules.keys()].sort();
  writeFileSync(
    join(dir, 'index.ts'),
    names.map((name) => `export * as ${name} from './${name}.ts';\n`).join(''),
  );
}

function main(): void {
  const next = mkdtempSync(`${outDir}.next-`);
  try {
    buf('generate', '--output', next);
    for (const unused of ['google/protobuf/descriptor.ts', 'incusos/rest']) {
      rmSync(join(next, unused), { recursive: true, force: true });
    }
    for (const entry of readdirSync(next, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = join(entry.parentPath, entry.name);
      writeFileSync(file, tidy(readFileSync(file, 'utf8')));
    }

    const image = join(next, 'image.json');
    buf('build', '--output', image);
    const messages = readImage(image);
    rmSync(image);
    writeModules(join(next, 'rest'), restTables(messages));
    writeModules(join(next, 'dto'), dtoModules(messages));

    rmSync(outDir, { recursive: true, force: true });
    renameSync(next, outDir);
  } catch (error) {
    rmSync(next, { recursive: true, force: true });
    throw error;
  }
}

main();
