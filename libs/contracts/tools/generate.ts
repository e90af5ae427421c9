/**
 * Generates libs/contracts/src/generated from proto/: messages and gRPC services, REST structures and DTO classes.
 *
 * Run: `node libs/contracts/tools/generate.ts`
 *
 * Everything is made aside first, and only files that differ are replaced: whoever reads the former ones meanwhile is
 * not disturbed, and a failure changes nothing.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { buf, root } from './buf.ts';
import { readImage } from './descriptors.ts';
import { dtoModules } from './dtos.ts';
import { restTables } from './rest-tables.ts';

const outDir = join(root, 'libs/contracts/src/generated');
/** On the same file system, where nobody looks for sources. */
const workDir = join(root, 'node_modules/.cache');

/** What ts-proto makes of the descriptors of options, which no message uses. */
const UNUSED = ['google/protobuf/descriptor.ts', 'incusos/rest'];

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

function filesBelow(dir: string): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)));
}

/** Generates everything below a directory. */
function generate(dir: string): void {
  if (!buf('generate', '--output', dir)) throw new Error('buf generate failed');
  for (const unused of UNUSED) rmSync(join(dir, unused), { recursive: true, force: true });
  for (const file of filesBelow(dir)) {
    const path = join(dir, file);
    writeFileSync(path, tidy(readFileSync(path, 'utf8')));
  }
  const image = join(dir, 'image.json');
  if (!buf('build', '--output', image)) throw new Error('buf build failed');
  const messages = readImage(image);
  rmSync(image);
  writeModules(join(dir, 'rest'), restTables(messages));
  writeModules(join(dir, 'dto'), dtoModules(messages));
}

/** Makes a directory like another one, whose files are moved away. */
function replaceChanged(dir: string, next: string): void {
  const files = filesBelow(next);
  for (const file of files) {
    const target = join(dir, file);
    if (existsSync(target) && readFileSync(target).equals(readFileSync(join(next, file)))) continue;
    mkdirSync(dirname(target), { recursive: true });
    renameSync(join(next, file), target);
  }
  const wanted = new Set(files);
  for (const file of filesBelow(dir)) if (!wanted.has(file)) rmSync(join(dir, file));
}

function main(): void {
  mkdirSync(workDir, { recursive: true });
  const next = mkdtempSync(join(workDir, 'contracts-'));
  try {
    generate(next);
    replaceChanged(outDir, next);
  } finally {
    rmSync(next, { recursive: true, force: true });
  }
}

main();
