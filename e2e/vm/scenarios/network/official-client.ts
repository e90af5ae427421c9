/** `incus admin os …`, as a person has it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parse, stringify } from 'yaml';
import { ask, writeClientConfiguration } from '../../client.ts';
import type { TestMachine } from '../../harness/test-machine.ts';
import type { Config, Network } from './network-api.ts';

const finder = join(import.meta.dirname, '../../../../bin/official-client');

export interface Said {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class OfficialClient {
  private readonly program: string;
  private readonly directory: string;

  private constructor(program: string, directory: string) {
    this.program = program;
    this.directory = directory;
  }

  /** The client with the machine as its remote. */
  static async of(machine: TestMachine): Promise<OfficialClient> {
    const { exitCode, stdout, stderr } = await run([finder], {});
    assert.equal(exitCode, 0, stderr);
    const directory = join(machine.directory, 'incus');
    const port = Number(new URL(machine.url).port);
    const { server } = await ask(port, '/os/1.0', await machine.trusted());
    writeClientConfiguration(directory, port, server);
    return new OfficialClient(stdout.trim(), directory);
  }

  run(words: string, stdin?: string): Promise<Said> {
    const env = { INCUS_CONF: this.directory, HOME: this.directory };
    return run([this.program, 'admin', 'os', ...words.split(' ')], { env, stdin });
  }

  /** @throws Error with what the client said when it fails. @returns what it wrote to standard output. */
  async succeed(words: string, stdin?: string): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(words, stdin);
    assert.equal(exitCode, 0, `incus admin os ${words}: ${stderr}`);
    return stdout;
  }

  async network(): Promise<Network> {
    return parse(await this.succeed('system network show')) as Network;
  }

  /** `incus admin os system network edit < file`. */
  edit(config: Config): Promise<Said> {
    return this.run('system network edit', stringify({ config }));
  }
}

async function run(
  [program = '', ...words]: readonly string[],
  {
    env = {},
    stdin = '',
  }: { readonly env?: Readonly<Record<string, string>>; readonly stdin?: string | undefined },
): Promise<Said> {
  const child = spawn(program, words, { env: { ...process.env, ...env } });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('close', resolve);
    child.on('error', reject);
  });
  // One that reads nothing is gone before it is written to.
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { exitCode, stdout, stderr };
}
