/** The control socket, served by the process that has the machine: one request a connection, one after another. */
import { rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { UserError } from '../../../image/tools/sentence.ts';
import type { Machine } from '../machine.ts';
import { type ControlAnswer, type ControlRequest, controlSocket } from './command.ts';
import { controlCommands } from './commands.ts';

export class ControlServer {
  private readonly server: Server;
  private turn: Promise<unknown> = Promise.resolve();

  private constructor(machine: Machine) {
    this.server = createServer((socket) => this.take(machine, socket));
    // The machine ends with its process, and the process doesn't wait for this.
    this.server.unref();
  }

  /** @throws UserError when another process serves the directory's machine. */
  static async listen(directory: string, machine: Machine): Promise<ControlServer> {
    await ensureNotRunning(directory);
    const path = join(directory, controlSocket);
    rmSync(path, { force: true });
    const control = new ControlServer(machine);
    await new Promise<void>((resolve, reject) => {
      control.server.once('error', reject);
      control.server.listen(path, resolve);
    });
    return control;
  }

  /** Serves a directory that no other process can know. */
  static serve(directory: string, machine: Machine): ControlServer {
    const path = join(directory, controlSocket);
    rmSync(path, { force: true });
    const control = new ControlServer(machine);
    control.server.listen(path);
    return control;
  }

  close(): void {
    this.server.close();
  }

  private take(machine: Machine, socket: Socket): void {
    socket.on('error', () => socket.destroy());
    const lines = createInterface({ input: socket });
    lines.on('error', () => undefined);
    lines.once('line', (line) => {
      this.turn = this.turn.then(async () => {
        const answer = await answered(machine, line);
        if (!socket.destroyed) socket.end(`${JSON.stringify(answer)}\n`);
      });
    });
  }
}

async function answered(machine: Machine, line: string): Promise<ControlAnswer> {
  try {
    const { command: name, args, options } = JSON.parse(line) as ControlRequest;
    const command = controlCommands.find((one) => one.name === name);
    if (command === undefined) throw new UserError(`there is no command ${name}`);
    return { text: await command.run(machine, args, options) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

/** @throws UserError when a process has the directory's machine. */
export async function ensureNotRunning(directory: string): Promise<void> {
  if (await isServed(join(directory, controlSocket)))
    throw new UserError(
      `a machine is already running in ${directory}; stop it first, or choose another --dir.`,
    );
}

/** Whether a process listens on a socket. */
async function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
