/** The pinned Node for the image's architecture, which may be another than this machine's. */
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type NpmPackage, toolchainPackage } from './bundled-packages.ts';
import { cached, keyOf, logOf } from './cache.ts';
import type { Architecture } from './options.ts';
import { step } from './programs.ts';
import { part, UserError } from './sentence.ts';

const toolchain = join(import.meta.dirname, '../../bin/toolchain');
const nodeNames: Readonly<Record<Architecture, string>> = { amd64: 'x64', arm64: 'arm64' };

/** The program and the package that it is from. */
export async function pinnedNode(
  architecture: Architecture,
): Promise<{ readonly program: string; readonly package: NpmPackage }> {
  const cpu = nodeNames[architecture];
  const name = `node-linux-${cpu}`;
  const installed = existsSync(join(toolchain, 'node_modules', name));
  const directory = installed ? toolchain : await foreignToolchain(cpu);
  const program = join(directory, 'node_modules', name, 'bin/node');
  if (!existsSync(program))
    throw new UserError(`${program}, the pinned Node, is missing; run npm run setup.`);
  return { program, package: toolchainPackage(directory, name) };
}

/** The same lock file, installed as on a machine of another architecture; npm checks what it gets by the lock. */
function foreignToolchain(cpu: string): Promise<string> {
  const files = ['package.json', 'package-lock.json'];
  const key = keyOf(cpu, ...files.map((name) => readFileSync(join(toolchain, name), 'utf8')));
  return cached(`node-${key}`, (partial) =>
    part(`Node for ${cpu}`, async () => {
      mkdirSync(partial, { recursive: true });
      for (const name of files) cpSync(join(toolchain, name), join(partial, name));
      const npm = join(toolchain, 'node_modules/npm/bin/npm-cli.js');
      await step(
        [process.execPath, npm, 'ci', `--cpu=${cpu}`, '--os=linux', '--ignore-scripts', '--loglevel=error'],
        { log: logOf(`node-${cpu}`), directory: partial },
      );
    }),
  );
}
