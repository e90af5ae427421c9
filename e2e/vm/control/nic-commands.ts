/** Network cards and their cables. */
import { existsSync } from 'node:fs';
import { UserError } from '../../../image/tools/sentence.ts';
import { presentNic, withNic } from '../hardware/description.ts';
import { type Network, networkOf, type Nic, nicNameOf } from '../hardware/nic.ts';
import { plugNic, setLink, unplugNic } from '../hardware/plug.ts';
import type { Machine } from '../machine.ts';
import type { ControlCommand } from './command.ts';
import { live } from './live.ts';

const nameArgument = { name: '<name>', summary: 'the name of the NIC, such as enp6s0' };

/** @throws UserError when the network is a bridge that this computer doesn't have. */
export function checkNetwork(network: Network): void {
  if (network.kind === 'bridge' && !existsSync(`/sys/class/net/${network.bridge}/bridge`))
    throw new UserError(`this computer has no bridge ${network.bridge}`);
}

async function add(machine: Machine, name: string, network: unknown): Promise<string> {
  const wanted = networkOf(typeof network === 'string' ? network : 'user');
  checkNetwork(wanted);
  const { description, nic } = withNic(machine.description, { name: nicNameOf(name), network: wanted });
  await live(machine, (qmp) => plugNic(qmp, nic, description.port));
  machine.describe(description);
  return `added NIC ${name} with MAC ${nic.mac}`;
}

async function remove(machine: Machine, name: string): Promise<string> {
  const nic = presentNic(machine.description, name);
  await live(machine, (qmp) => unplugNic(qmp, nic));
  const { description } = machine;
  machine.describe({ ...description, nics: description.nics.filter((one) => one.name !== name) });
  return `removed NIC ${name}`;
}

async function link(machine: Machine, name: string, state: string): Promise<string> {
  if (state !== 'up' && state !== 'down') throw new UserError(`a link is up or down, not '${state}'`);
  const nic: Nic = { ...presentNic(machine.description, name), link: state };
  await live(machine, (qmp) => setLink(qmp, nic));
  const { description } = machine;
  machine.describe({
    ...description,
    nics: description.nics.map((one) => (one.name === name ? nic : one)),
  });
  return `the link of ${name} is ${state}`;
}

export const nicCommands: readonly ControlCommand[] = [
  {
    name: 'nic add',
    summary: 'plugs a NIC in; its MAC follows from its name',
    args: [nameArgument],
    options: [
      {
        flags: '--network <network>',
        summary: 'user, socket:PORT, hub:NUMBER or bridge:INTERFACE; user unless given',
      },
    ],
    run: (machine, [name = ''], { network }) => add(machine, name, network),
  },
  {
    name: 'nic remove',
    summary: 'pulls a NIC out',
    args: [nameArgument],
    run: (machine, [name = '']) => remove(machine, name),
  },
  {
    name: 'nic link',
    summary: "plugs a NIC's cable in or pulls it out",
    args: [nameArgument, { name: '<state>', summary: 'up or down' }],
    run: (machine, [name = '', state = '']) => link(machine, name, state),
  },
];
