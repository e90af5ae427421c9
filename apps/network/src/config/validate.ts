/**
 * Every rule for a network configuration that the configuration alone can break. The texts are the API's; a rule that
 * goes beyond the contract refuses only what the system would ignore or choke on.
 */
import type { SystemNetworkConfig, SystemNetworkInterface } from '@incusos/contracts/network';
import { checkUniqueAddresses } from './addresses.ts';
import { checkBond } from './bonds.ts';
import { checkDevice, checkVlanTags } from './device.ts';
import { placeOf } from './devices-of.ts';
import { checkDns } from './dns.ts';
import { checkEthernet } from './ethernet.ts';
import { checkHardwareAddress, checkUniqueHardwareAddresses } from './hardware-addresses.ts';
import { checkMemberFiles, checkUniqueNames } from './names.ts';
import { checkProxy } from './proxy.ts';
import { checkTime } from './time.ts';
import type { Pass, Place, Violation } from './violation.ts';
import { checkUniqueIds, checkVlan, parentsOf } from './vlans.ts';
import { checkWireguard } from './wireguard.ts';

/** More vlans than ids on one device make no sense on a machine, and would keep it busy for minutes. */
const mostDevices = 4096;

/** Checks a configuration; nothing is yielded for a valid one. */
export function* validateConfig(config: SystemNetworkConfig, pass: Pass): Generator<Violation> {
  const count =
    config.interfaces.length + config.bonds.length + config.vlans.length + config.wireguard.length;
  if (count > mostDevices) {
    yield {
      field: 'config',
      message: `network configuration has ${count} devices, more than ${mostDevices} can't be configured`,
    };
    return;
  }
  yield* checkUniqueNames(config);
  yield* checkUniqueHardwareAddresses(config);
  yield* checkMemberFiles(config);
  yield* checkUniqueIds(config);
  yield* checkUniqueAddresses(config);
  for (const [index, entry] of config.interfaces.entries())
    yield* checkInterface(entry, placeOf('interface', 'interfaces', index), pass);
  for (const [index, bond] of config.bonds.entries())
    yield* checkBond(bond, placeOf('bond', 'bonds', index), pass);
  const parents = parentsOf(config);
  for (const [index, vlan] of config.vlans.entries())
    yield* checkVlan(vlan, parents, placeOf('vlan', 'vlans', index));
  for (const [index, one] of config.wireguard.entries())
    yield* checkWireguard(one, placeOf('wireguard', 'wireguard', index));
  yield* checkDns(config.dns);
  yield* checkTime(config.time);
  yield* checkProxy(config.proxy);
}

function* checkInterface(entry: SystemNetworkInterface, where: Place, pass: Pass): Generator<Violation> {
  yield* checkDevice(entry, where);
  yield* checkHardwareAddress(entry.hwaddr, 'hwaddr', where, pass);
  yield* checkVlanTags(entry.vlan_tags, where);
  yield* checkEthernet(entry.ethernet, where);
}
