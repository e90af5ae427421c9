/**
 * What is at the other end of a machine's cables: a network namespace of the same guest, with cards of its own on the
 * same hubs. It costs no second machine, and everything between the two is real: QEMU's cards, their cables and drivers.
 *
 * Behind each cable pair is the other one: `enp6s0` leads to the namespace's `enp11s0`, `enp7s0` to `enp12s0` and so on.
 */
import assert from 'node:assert/strict';
import type { TestMachine } from '../../harness/test-machine.ts';
import { until } from '../../harness/wait.ts';

/** The namespace. */
const space = 'peer';
/** Runs a command in it. */
export const inPeer = `ip netns exec ${space}`;
const trafficPort = 7_777;
const patienceMs = 3 * 60_000;

export interface Cable {
  /** The appliance's card. */
  readonly card: string;
  /** Its MAC, by which a configuration names it. */
  readonly mac: string;
  /** The card at the other end. */
  readonly other: string;
}

/** How the other ends of the cables are joined: one switch, a bond, or each for itself under its own name. */
export type Switch = 'bridge' | 'balance-xor' | '802.3ad' | 'apart';

/** The namespace's device that {@link joinCables} makes. */
export const switchName = 'sw';

/** A DNS server for which no name exists, which is an answer. */
const nameServer = `
const { createSocket } = require('node:dgram');
const socket = createSocket('udp4');
socket.on('message', (query, { port, address }) => {
  let end = 12;
  while (query[end] > 0) end += query[end] + 1;
  const answer = Buffer.from(query.subarray(0, end + 5));
  answer.writeUInt16BE(0x8183, 2);
  answer.writeUInt16BE(0, 10);
  socket.send(answer, port, address);
});
socket.bind(53, process.argv[1]);
`;

const echo = `require('node:net').createServer((socket) => socket.on('error', () => socket.destroy()).pipe(socket)).listen(${trafficPort})`;

/** Sends a byte over one connection twenty times a second, and notes what came back. */
const talker = `
const { writeFileSync, renameSync } = require('node:fs');
const [address, file] = process.argv.slice(1);
let received = 0;
const socket = require('node:net').connect(${trafficPort}, address, () => {
  setInterval(() => socket.write('.'), 50);
});
const note = (ended) => {
  writeFileSync(file + '.new', JSON.stringify({ received, ended }));
  renameSync(file + '.new', file);
};
socket.setNoDelay(true);
socket.on('data', (data) => { received += data.length; note(''); });
socket.on('close', () => { note('closed'); process.exit(); });
socket.on('error', (error) => note(error.message));
`;

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
const unit = (name: string, command: string): string =>
  `systemd-run --quiet --collect --unit=e2e-${name} ${command}`;

export class Peer {
  readonly cables: readonly Cable[];
  private readonly machine: TestMachine;
  private talks = 0;

  private constructor(machine: TestMachine, cables: readonly Cable[]) {
    this.machine = machine;
    this.cables = cables;
  }

  /** Gives a running machine cards with a peer at the other end of their cables. */
  static async attach(machine: TestMachine, count: number): Promise<Peer> {
    const cables: Cable[] = [];
    for (let index = 0; index < count; index += 1) {
      const [card, other] = [`enp${6 + index}s0`, `enp${11 + index}s0`];
      const mac = await machine.addNic(`${card}=hub:${index + 1}`);
      await machine.addNic(`${other}=hub:${index + 1}`);
      cables.push({ card, mac, other });
    }
    const peer = new Peer(machine, cables);
    await peer.begin();
    return peer;
  }

  /** Makes the namespace, after a start of the machine; the cards at the other ends belong to it from then on. */
  async begin(): Promise<void> {
    const cards = this.cables.map(({ other }) => other);
    const all = [...this.cables.map(({ card, mac }) => `${card}|_p${mac.replaceAll(':', '')}`), ...cards];
    await until('the cards in the guest', patienceMs, async () => {
      const present = await this.machine.inGuest('ls /sys/class/net');
      const names = new Set(present.split('\n'));
      return all.every((wanted) => wanted.split('|').some((name) => names.has(name))) ? true : undefined;
    });
    await this.machine.inGuest(
      [
        'set -e',
        'udevadm settle',
        `ip netns add ${space}`,
        `ip -n ${space} link set lo up`,
        ...cards.flatMap((card) => [
          `ip link set ${card} netns ${space}`,
          `ip -n ${space} link set ${card} up`,
        ]),
        unit('echo', `node -e ${quoted(echo)}`),
      ].join('\n'),
    );
  }

  /**
   * Joins the other ends of the cables.
   * @param addresses of the joined end with their masks, by VLAN; 0 is for untagged frames.
   */
  async join(kind: Switch, addresses: Readonly<Record<number, string>>): Promise<void> {
    const options = {
      ...{ bridge: 'bridge', 'balance-xor': 'bond mode balance-xor miimon 100', apart: 'dummy' },
      '802.3ad': 'bond mode 802.3ad miimon 100 lacp_rate fast',
    }[kind];
    const ip = `ip -n ${space}`;
    const members = kind === 'apart' ? [] : this.cables.map(({ other }) => other);
    await this.machine.inGuest(
      [
        `${ip} link del ${switchName} 2>/dev/null`,
        'set -e',
        `${ip} link add ${switchName} type ${options}`,
        // A card has to be down to join a bond.
        ...members.flatMap((card) => [
          `${ip} link set ${card} down`,
          `${ip} link set ${card} master ${switchName}`,
          `${ip} link set ${card} up`,
        ]),
        `${ip} link set ${switchName} up`,
        ...Object.entries(addresses).flatMap(([tag, address]) => {
          if (tag === '0') return [`${ip} address add ${address} dev ${switchName}`];
          const device = `${switchName}.${tag}`;
          return [
            `${ip} link add link ${switchName} name ${device} type vlan id ${tag}`,
            `${ip} link set ${device} up`,
            `${ip} address add ${address} dev ${device}`,
          ];
        }),
      ].join('\n'),
    );
  }

  /** Answers questions for names at an address that the peer has. */
  async answerNames(address: string): Promise<void> {
    await this.machine.inGuest(unit('dns', `${inPeer} node -e ${quoted(nameServer)} ${address}`));
  }

  /** The API's answer to somebody at the other end, whom it doesn't know. @returns the HTTP status; 0 for none. */
  async reaches(address: string): Promise<number> {
    const curl = `curl --silent --insecure --max-time 10 --output /dev/null --write-out '%{http_code}'`;
    const { output } = await this.machine.guest(`${inPeer} ${curl} https://${address}:8443/`);
    return Number(output);
  }

  /** Asserts that the API is to be reached from the other end. */
  async assertReaches(address: string): Promise<void> {
    await until(`an answer of the API at ${address}`, patienceMs, async () =>
      (await this.reaches(address)) > 0 ? true : undefined,
    );
  }

  /** Begins a conversation over one TCP connection that has to go on, from the other end to an address of the appliance. */
  async talk(address: string): Promise<Talk> {
    this.talks += 1;
    const file = `/run/e2e-talk-${this.talks}`;
    await this.machine.inGuest(
      unit(`talk-${this.talks}`, `${inPeer} node -e ${quoted(talker)} ${address} ${file}`),
    );
    const talk = new Talk(this.machine, file, address);
    await talk.assertGoesOn();
    return talk;
  }

  /** Pulls both ends of a cable out, or plugs them in. */
  async cable({ card, other }: Cable, state: 'up' | 'down'): Promise<void> {
    await this.machine.cable(card, state);
    await this.machine.cable(other, state);
  }
}

export class Talk {
  private readonly machine: TestMachine;
  private readonly file: string;
  private readonly address: string;

  constructor(machine: TestMachine, file: string, address: string) {
    this.machine = machine;
    this.file = file;
    this.address = address;
  }

  /** Asserts that more comes back over the same connection than had until now. */
  async assertGoesOn(): Promise<void> {
    const begin = (await this.read())?.received ?? 0;
    await until(`a word over the connection to ${this.address}`, patienceMs, async () => {
      const now = await this.read();
      assert.equal(now?.ended ?? '', '', `the connection to ${this.address} ended`);
      return (now?.received ?? 0) > begin ? true : undefined;
    });
  }

  private async read(): Promise<{ readonly received: number; readonly ended: string } | undefined> {
    const { code, output } = await this.machine.guest(`cat ${this.file}`);
    if (code !== 0) return undefined;
    return JSON.parse(output) as { readonly received: number; readonly ended: string };
  }
}
