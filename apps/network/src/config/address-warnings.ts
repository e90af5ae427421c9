/** Addresses and routes that the system takes and that hardly do what was meant. */
import type { Device } from './device.ts';
import type { PlacedDevice } from './devices-of.ts';
import { bitsOf, contains, isLinkLocal, parseIp, parseSubnet, type Subnet } from './ip.ts';
import { at, type Place, type Violation } from './violation.ts';

const methodsOf = { ipv4: ['dhcp4'], ipv6: ['dhcp6', 'slaac'] } as const;

export function* addressWarnings(device: Device, place: Place): Generator<Violation> {
  const { addresses, roles, required_for_online: required = '' } = device;
  for (const [index, address] of addresses.entries()) {
    const field = `addresses[${index}]`;
    if (addresses.indexOf(address) < index)
      yield at(place, field, `address ${index} '${address}' is listed multiple times`);
    const subnet = parseSubnet(address);
    if (subnet !== undefined && isEnd(subnet))
      yield at(place, field, `address ${index} '${address}' is the network's own or its broadcast address`);
  }
  if (addresses.length === 0 && required !== '' && required !== 'no')
    yield at(place, 'required_for_online', `'${required}' has no effect without addresses`);
  if (addresses.length > 0) yield* onlineWarnings(addresses, required, place);
  if (addresses.length === 0 && (roles.includes('management') || roles.includes('cluster')))
    yield at(place, 'roles', 'the device has no address for its roles');
}

/** Whoever waits for an address that never comes, waits until the change is taken back. */
function* onlineWarnings(addresses: readonly string[], required: string, place: Place): Generator<Violation> {
  for (const family of ['ipv4', 'ipv6'] as const) {
    if (required !== family && required !== 'both') continue;
    const bits = family === 'ipv4' ? 32 : 128;
    const comes = addresses.some((address) => {
      const subnet = parseSubnet(address);
      return subnet === undefined
        ? methodsOf[family].some((method) => method === address)
        : bitsOf(subnet) === bits && !isLinkLocal(subnet);
    });
    if (!comes)
      yield at(
        place,
        'required_for_online',
        `'${required}' waits for an ${label[family]} address that nothing brings`,
      );
  }
}

const label = { ipv4: 'IPv4', ipv6: 'IPv6' } as const;

/** IPv4 keeps the first and the last address for itself (RFC 1122; not of pairs, RFC 3021). */
function isEnd({ family, prefix, value, first, last }: Subnet): boolean {
  return family === 4 && prefix < 31 && (value === first || value === last);
}

export function* routeWarnings(device: Device, place: Place): Generator<Violation> {
  const subnets = device.addresses.map(parseSubnet).filter((subnet) => subnet !== undefined);
  const seen = new Set<string>();
  for (const [index, { to, via, onlink }] of device.routes.entries()) {
    const target = parseSubnet(to);
    const key = target === undefined ? to : `${target.first}/${target.prefix} ${target.family}`;
    if (seen.has(key))
      yield at(place, `routes[${index}].to`, `route ${index} 'To' '${to}' is listed multiple times`);
    seen.add(key);
    const gateway = parseIp(via);
    if (gateway === undefined || onlink === true || isLinkLocal(gateway)) continue;
    // An address that is yet to come may be in the gateway's network.
    const open = methodsOf[gateway.family === 4 ? 'ipv4' : 'ipv6'].some((method) =>
      device.addresses.includes(method),
    );
    if (open || subnets.some((subnet) => contains(subnet, gateway))) continue;
    yield at(
      place,
      `routes[${index}].via`,
      `route ${index} 'Via' '${via}' is in none of the device's networks and can't be reached`,
    );
  }
}

/** The same network on two devices: the kernel sends through one of them only, whichever it was told last. */
export function* overlapWarnings(devices: readonly PlacedDevice[]): Generator<Violation> {
  const all = devices.flatMap(({ device, kind, place }) =>
    device.addresses.flatMap((text, index) => {
      const subnet = parseSubnet(text);
      // A single address is a network to nobody else.
      if (subnet === undefined || subnet.prefix === bitsOf(subnet) || isLinkLocal(subnet)) return [];
      return [{ subnet, text, index, place, owner: `${kind} '${device.name}'` }];
    }),
  );
  const order = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
  const sorted = all.toSorted(
    ({ subnet: a }, { subnet: b }) => a.family - b.family || order(a.first, b.first) || a.prefix - b.prefix,
  );
  /** The networks around the present one; networks lie in each other or apart. */
  const around: typeof all = [];
  for (const one of sorted) {
    while (around.length > 0 && !contains(around.at(-1)?.subnet ?? one.subnet, one.subnet)) around.pop();
    const other = around.findLast(({ place }) => place !== one.place);
    around.push(one);
    if (other === undefined) continue;
    yield at(
      one.place,
      `addresses[${one.index}]`,
      `address ${one.index} '${one.text}' overlaps with '${other.text}' of ${other.owner}`,
    );
  }
}
