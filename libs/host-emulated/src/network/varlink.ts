/** networkd's varlink socket (varlink-io.systemd.Network.c of systemd 257), as far as anyone asks it. */
import type { Duplex } from 'node:stream';
import type { EmulatedMachine } from '../machine/emulated-machine.ts';
import { neighboursOf } from './lldp.ts';

const networkd = 'systemd-networkd.service';

/** @throws as a connection to a socket without a daemon does. */
export function answerVarlink(machine: EmulatedMachine, connection: Duplex): void {
  if (machine.read().system.units[networkd]?.active !== 'active') {
    throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  }
  let heard = '';
  connection.on('error', () => undefined);
  connection.on('data', (part: Buffer) => {
    const calls = (heard + part.toString('utf8')).split('\0');
    heard = calls.pop() ?? '';
    for (const call of calls) connection.write(`${JSON.stringify(reply(machine, call))}\0`);
  });
  connection.on('end', () => connection.end());
}

function reply(machine: EmulatedMachine, call: string): unknown {
  const { method } = JSON.parse(call) as { method?: unknown };
  if (method === 'io.systemd.Network.GetLLDPNeighbors')
    return { parameters: neighboursOf(machine.read().network) };
  return { error: 'org.varlink.service.MethodNotFound', parameters: { method } };
}
