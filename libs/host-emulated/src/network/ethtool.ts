/** ethtool(8), as far as energy-efficient ethernet goes. */
import type { EmulatedMachine } from '../machine/emulated-machine.ts';
import { failure, type Tool, type ToolResult } from '../tools/tool.ts';
import { findLink, nicOf } from './kernel.ts';

export const ethtool: Tool = async ({ machine, args }) => {
  const [verb = '', name = '', ...rest] = args;
  switch (verb) {
    case '--show-eee':
      return rest.length === 0 ? show(machine, name) : wrongUsage();
    case '--set-eee':
      return rest.length === 2 && rest[0] === 'eee' && (rest[1] === 'on' || rest[1] === 'off')
        ? set(machine, name, rest[1])
        : wrongUsage();
    default:
      return wrongUsage();
  }
};

function wrongUsage(): ToolResult {
  return failure('ethtool: bad command line argument(s)\nFor more information run ethtool -h');
}

/** Paravirtual cards have no wire on which to save energy. */
function problemOf(machine: EmulatedMachine, name: string): string | undefined {
  const section = machine.read().network;
  const link = findLink(section, name);
  if (link === undefined)
    return 'netlink error: no device matches name (offset 24)\nnetlink error: No such device';
  const driver = nicOf(section, link)?.driver ?? 'virtio_net';
  return driver === 'virtio_net' ? 'netlink error: Operation not supported' : undefined;
}

function show(machine: EmulatedMachine, name: string): ToolResult {
  const problem = problemOf(machine, name);
  if (problem !== undefined) return failure(problem, 1);
  const link = findLink(machine.read().network, name);
  const status = link?.eee === 'off' ? 'disabled' : 'enabled - inactive';
  return { stdout: `EEE settings for ${name}:\n\tEEE status: ${status}\n\tTx LPI: disabled\n` };
}

async function set(machine: EmulatedMachine, name: string, eee: 'on' | 'off'): Promise<ToolResult> {
  const problem = problemOf(machine, name);
  if (problem !== undefined) return failure(problem, 76);
  await machine.change(({ network }) => {
    const link = findLink(network, name);
    if (link !== undefined) link.eee = eee;
  });
  return {};
}
