/** `npm run vm -- ctl`: asks the process that has the machine; changes the description of one that nobody runs. */
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { findArchive } from '../../../image/tools/archive.ts';
import { toolsRoot } from '../../../image/tools/roots.ts';
import { UserError } from '../../../image/tools/sentence.ts';
import { Machine } from '../machine.ts';
import { type ControlAnswer, type ControlCommand, type ControlRequest, controlSocket } from './command.ts';

/**
 * Has a command carried out.
 * @returns what it says. @throws UserError with why not.
 */
export async function control(
  directory: string,
  command: ControlCommand,
  args: readonly string[],
  options: ControlRequest['options'],
): Promise<string> {
  const answer = await asked(directory, { command: command.name, args, options });
  if (answer !== undefined) {
    if ('error' in answer) throw new UserError(answer.error);
    return answer.text;
  }
  if (command.needsOwner === true)
    throw new UserError(`no machine runs in ${directory}; npm run vm starts one.`);
  if (!new Machine({ tools: '', directory, accelerator: 'tcg' }).exists)
    throw new UserError(`there is no machine in ${directory}; npm run vm makes one.`);
  // They may have to be made first, which takes a minute.
  const tools = command.needsTools === true ? await toolsRoot(findArchive('amd64')) : '';
  const machine = new Machine({ tools, directory, accelerator: 'tcg' });
  await machine.claim();
  try {
    return await command.run(machine, args, options);
  } finally {
    machine.kill();
  }
}

/** The owner's answer; none when nobody has the machine. */
async function asked(directory: string, request: ControlRequest): Promise<ControlAnswer | undefined> {
  const socket = connect(join(directory, controlSocket));
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined;
    throw new UserError(`the machine in ${directory} can't be reached (${String(code)}); it needs root.`);
  }
  socket.write(`${JSON.stringify(request)}\n`);
  const answer = await text(socket);
  if (answer === '') throw new UserError('the process that has the machine ended before it answered.');
  return JSON.parse(answer) as ControlAnswer;
}
