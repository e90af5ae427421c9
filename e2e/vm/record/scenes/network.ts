/** Devices, addresses, neighbours, names and the clock. The unit files are those that the network service writes. */
import { run, type Scene, start, stop, type Step } from '../scene.ts';

const directory = '/run/systemd/network';
/** The end of the pair of devices that is a port of the bridge. */
const peer = '_i{compact:1}';

function physical(nic: 1 | 2): string {
  return `_p{compact:${nic}}`;
}

function unit(name: string, ...lines: string[]): Step {
  return { write: `${directory}/${name}`, text: `${lines.join('\n')}\n` };
}

function match(name: string): string[] {
  return ['[Match]', `Name=${name}`, ''];
}

/** A card by its number: the second one of the machine is 1. The first one stays as it is. */
function card(number: string, nic: 1 | 2, ...settings: string[]): Step {
  return unit(
    `${number}-${physical(nic)}.link`,
    ...['[Match]', `PermanentMACAddress={mac:${nic}}`, '', '[Link]', ...settings, 'NamePolicy='],
    ...[`Name=${physical(nic)}`, 'MTUBytes=9000'],
  );
}

function bridge(number: string, name: string): Step {
  return unit(
    `${number}-${name}.netdev`,
    ...['[NetDev]', `Name=${name}`, 'Kind=bridge', '', '[Bridge]', 'VLANFiltering=true'],
  );
}

function veth(number: string, name: string): Step {
  return unit(
    `${number}-_v${name}.netdev`,
    ...['[NetDev]', `Name=_v${name}`, 'Kind=veth', 'MACAddress={mac:1}', ''],
    ...['[Peer]', `Name=${peer}`],
  );
}

function addresses(file: string, name: string, ...lines: string[]): Step {
  return unit(
    `${file}.network`,
    ...match(name),
    ...['[Link]', 'RequiredForOnline=yes', 'RequiredFamilyForOnline=any', 'MTUBytes=1500', ''],
    ...['[DHCP]', 'ClientIdentifier=mac', 'RouteMetric=100', ''],
    ...['[DHCPv6]', 'WithoutRA=solicit', '', '[Network]', ...lines],
  );
}

function port(file: string, name: string, ...lines: string[]): Step {
  return unit(`${file}.network`, ...match(name), '[Link]', 'MTUBytes=9000', '', '[Network]', ...lines);
}

const silent = ['LinkLocalAddressing=no', 'ConfigureWithoutCarrier=yes'];

/** A card with its bridge, as every machine has one that nobody configured otherwise. */
const single: readonly Step[] = [
  card('00', 1, 'MACAddressPolicy=random'),
  bridge('10', 'uplink'),
  veth('10', 'uplink'),
  addresses('20-_vuplink', '_vuplink', 'LinkLocalAddressing=ipv6', 'IPv6AcceptRA=true', 'DHCP=ipv4'),
  port(`20-${peer}`, peer, 'Bridge=uplink'),
  port(`20-${physical(1)}`, physical(1), 'LLDP=true', 'EmitLLDP=true', 'Bridge=uplink'),
  port('20-uplink', 'uplink', ...silent),
];

const bond: readonly Step[] = [
  card('01', 1),
  card('01', 2),
  unit(
    '11-_bpair.netdev',
    ...['[NetDev]', 'Name=_bpair', 'Kind=bond', '', '[Bond]', 'Mode=802.3ad'],
    ...['TransmitHashPolicy=layer3+4', 'LACPTransmitRate=fast'],
  ),
  bridge('11', 'pair'),
  veth('11', 'pair'),
  unit('12-guests.netdev', '[NetDev]', 'Name=guests', 'Kind=vlan', '', '[VLAN]', 'Id=20'),
  addresses(
    '21-_vpair',
    '_vpair',
    ...['VLAN=guests', 'LinkLocalAddressing=ipv6', 'Address=192.0.2.10/24', 'IPv6AcceptRA=false'],
    ...['', '[Route]', 'Gateway=192.0.2.1', 'Destination=198.51.100.0/24'],
  ),
  port(`21-${peer}`, peer, 'Bridge=pair'),
  port('21-pair', 'pair', ...silent),
  port('21-_bpair-dev0', physical(1), 'LLDP=false', 'EmitLLDP=false', 'Bond=_bpair'),
  port('21-_bpair-dev1', physical(2), 'LLDP=false', 'EmitLLDP=false', 'Bond=_bpair'),
  port('21-_bpair', '_bpair', ...silent, 'Bridge=pair'),
  addresses(
    '22-guests',
    'guests',
    'LinkLocalAddressing=ipv6',
    'Address=203.0.113.10/24',
    'IPv6AcceptRA=false',
  ),
];

function takeUp(...cards: string[]): Step[] {
  const matches = cards.map((name) => ` --sysname-match=${name}`).join('');
  return [
    run('udevadm control --reload'),
    run(`udevadm trigger --action=add --subsystem-match=net --settle${matches}`),
    run('systemctl is-active systemd-networkd.service'),
    run('networkctl reload'),
  ];
}

/** All that the network service asks for one picture of the network. */
const picture: readonly Step[] = [
  run('ip -j -d address show'),
  run('ip -j -4 route show table main'),
  run('ip -j -6 route show table main'),
  run('networkctl list --json=short --no-pager'),
  run('networkctl lldp --json=short --no-pager'),
  { read: '/proc/net/dev' },
];

const monitor = 'ip monitor link address route';
/**
 * Takes back what the network service made of the cards, and keeps it from doing so again; the cards go by the names
 * that udev gives them.
 */
const prepare = [
  'umask 022',
  'systemctl stop incus-os-network.service',
  `rm -f ${directory}/*`,
  'for link in $(ip -o link show | sed "s/^[0-9]*: //; s/[:@].*//"); do',
  '  if [ "$link" = lo ]; then continue; fi',
  '  if [ ! -e /sys/class/net/$link/device ]; then ip link delete dev $link 2>/dev/null; continue; fi',
  '  name=$(udevadm info --query=property --property=ID_NET_NAME_PATH --value /sys/class/net/$link)',
  '  mac=$(ip -o link show dev $link | sed -n "s/.* permaddr \\([0-9a-f:]*\\).*/\\1/p")',
  '  ip link set dev $link down nomaster',
  '  [ -z "$mac" ] || ip link set dev $link address $mac',
  '  ip link set dev $link mtu 1500',
  '  [ "$link" = "$name" ] || { ip link property del dev $link altname $name 2>/dev/null; ip link set dev $link name $name; }',
  'done',
  'udevadm control --reload; networkctl reload; udevadm settle --timeout=60; sleep 2',
].join('\n');
const cleanUp = `rm -f ${directory}/*; networkctl reload`;

export const networkScenes: readonly Scene[] = [
  {
    name: 'network/one-card',
    prepare,
    about: 'a card gets its bridge, addresses by DHCP and router advertisement, and a neighbour',
    steps: [
      ...single,
      start(monitor),
      { pass: 1 },
      ...takeUp('{card:1}'),
      {
        // The other end of a cable that goes nowhere else: a port of the bridge whose far end speaks LLDP.
        real: [
          'umask 022; ip link add neighbour type veth peer name _p525400123463',
          `printf '[Match]\\nName=neighbour\\n\\n[Network]\\nEmitLLDP=yes\\nLinkLocalAddressing=no\\n' >${directory}/30-neighbour-uplink.network`,
          `printf '[Match]\\nName=_p525400123463\\n\\n[Network]\\nLLDP=yes\\nLinkLocalAddressing=no\\n' >${directory}/30-heard-uplink.network`,
          'networkctl reload; sleep 45',
        ].join('\n'),
      },
      { pass: 15 },
      stop(monitor),
      ...picture,
      run('networkctl reconfigure _vuplink'),
      run('networkctl reconfigure none'),
      run('ip link delete dev none'),
      run('ip link set dev none nomaster'),
      run(`ip link set dev ${physical(1)} nomaster`),
      run('ip link delete dev _vuplink'),
      run('ip link delete dev uplink'),
      run('ip -j -d address show'),
      run('ip frobnicate'),
    ],
    cleanUp,
  },
  {
    name: 'network/bond',
    prepare,
    about: 'two cards in a bond that speaks LACP, with a VLAN above it and addresses that are given',
    steps: [
      ...bond,
      ...takeUp('{card:1}', '{card:2}'),
      { pass: 15 },
      ...picture,
      run('ip link delete dev guests'),
      run('ip link delete dev _bpair'),
    ],
    cleanUp,
  },
  {
    name: 'network/names',
    about: 'the resolver, the name of the host and its clock are asked and told',
    steps: [
      run('hostnamectl hostname'),
      run('hostnamectl hostname samples'),
      run('hostnamectl hostname'),
      run('timedatectl show --property=Timezone --value'),
      run('timedatectl set-timezone Europe/Paris'),
      run('timedatectl show --property=Timezone --value'),
      run('timedatectl set-timezone Nowhere/None'),
      run('timedatectl set-timezone UTC'),
      run('timedatectl show --property=NTPSynchronized --value'),
      run('timedatectl show'),
      run('resolvectl flush-caches'),
      run('resolvectl query --cache=no --legend=no linuxcontainers.org'),
      run('resolvectl query --cache=no --legend=no none.invalid'),
    ],
    cleanUp: 'hostnamectl hostname "$(cat /etc/machine-id)"',
  },
];
