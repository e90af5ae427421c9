/** Programs that aren't part of the image: a machine has them once their files are there. */
import { ProgramError, programDirectories } from '@incusos/host';
import type { Command } from '../../command.ts';
import type { Files } from '@incusos/host';
import type { Tool } from '../../tools/tool.ts';

const directory = '/usr/local/bin';

const bundles: Readonly<Record<string, readonly string[]>> = {
  tailscale: ['tailscale', 'tailscaled'],
  netbird: ['netbird'],
};

export async function isInstalled(files: Files, program: string): Promise<boolean> {
  for (const place of programDirectories) if (await files.exists(`${place}/${program}`)) return true;
  return false;
}

/** A program that can only be run once it is installed. */
export function ifInstalled(program: string, tool: Tool): Tool {
  return async (call) => {
    if (!(await isInstalled(call.files, program)))
      throw new ProgramError('not-found', program, '', undefined, `program ${program} isn't installed`);
    return tool(call);
  };
}

function programsOf(name: string): readonly string[] {
  const programs = bundles[name];
  if (programs === undefined)
    throw new Error(`there are no programs ${name}; there are ${Object.keys(bundles).join(' and ')}`);
  return programs;
}

const argument = { name: '<name>', summary: 'tailscale or netbird' };

export const programCommands: readonly Command[] = [
  {
    name: 'program add',
    summary: 'brings programs that are no part of the image, as an extension would',
    args: [argument],
    run: async ({ files }, [name = '']) => {
      for (const program of programsOf(name))
        await files.writeAtomic(`${directory}/${program}`, '', { mode: 0o755 });
      return `${programsOf(name).join(' and ')} installed in ${directory}`;
    },
  },
  {
    name: 'program remove',
    summary: 'takes such programs away',
    args: [argument],
    run: async ({ files }, [name = '']) => {
      for (const program of programsOf(name)) await files.remove(`${directory}/${program}`);
      return `${programsOf(name).join(' and ')} removed`;
    },
  },
];
