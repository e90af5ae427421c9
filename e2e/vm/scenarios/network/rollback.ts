/** Changes that fail, expire, are killed or lose power: each ends in the configuration before it. */
import assert from 'node:assert/strict';
import { say } from '../../../../image/tools/sentence.ts';
import type { Lab, Scenario } from '../../harness/scenario.ts';
import type { TestMachine } from '../../harness/test-machine.ts';
import { until } from '../../harness/wait.ts';
import {
  assertSameConfig,
  type Config,
  failToSet,
  fixedFirstCard,
  type Interface,
  type Network,
  readNetwork,
  setClock,
  setNetwork,
} from './network-api.ts';
import { Peer } from './peer.ts';

const rollbackMs = 5 * 60_000;
const good = '10.77.0.2';
const other = '10.77.0.3';
/** Where the name server is: not on the machine's own network, so that it takes a gateway to reach it. */
const nameServer = '10.99.0.53';

async function rollback(lab: Lab): Promise<void> {
  const machine = await lab.running();
  await setClock(machine);
  const rest = await machine.rest();
  const peer = await Peer.attach(machine, 1);
  await joined(machine, peer);
  const [first] = (await readNetwork(rest)).config.interfaces ?? [];
  const [cable] = peer.cables;
  assert.ok(first !== undefined && cable !== undefined);
  const uplink: Interface = {
    ...{ name: 'uplink', hwaddr: cable.mac, addresses: [`${good}/24`], required_for_online: 'ipv4' },
    routes: [{ to: '0.0.0.0/0', via: '10.77.0.1' }],
    roles: ['management'],
  };
  const withUplink = (changed: Partial<Interface>): Config => ({
    dns: { hostname: '', domain: '', nameservers: [nameServer] },
    interfaces: [fixedFirstCard(first.hwaddr), { ...uplink, ...changed }],
  });
  await setNetwork(rest, withUplink({}));
  const { config: before } = await readNetwork(rest);
  await peer.assertReaches(good);
  const talk = await peer.talk(good);

  /** Asserts that all is as it was, and was so told. */
  const assertBack = async (why: RegExp): Promise<Network> => {
    const network = await until('the previous configuration', rollbackMs, async () => {
      const now = await readNetwork(await machine.rest());
      const [, device] = now.config.interfaces ?? [];
      const is = device?.addresses?.[0] === `${good}/24` && device.routes?.[0]?.via === '10.77.0.1';
      return is && !now.state.configuration_in_process ? now : undefined;
    });
    assertSameConfig(network.config, before);
    assert.match(network.state.last_change?.reason ?? '', why);
    await peer.assertReaches(good);
    assert.match(
      await machine.inGuest(
        'ip -4 route show default; ip -4 -o address show dev _vuplink; ls /run/systemd/network',
      ),
      /^default via 10\.77\.0\.1 dev _vuplink.*\n.* 10\.77\.0\.2\/24 (?:(?!10\.77\.0\.3)[^])*$/u,
    );
    return network;
  };

  say('  a wrong gateway');
  const wrong = withUplink({ routes: [{ to: '0.0.0.0/0', via: '10.77.0.9' }] });
  assert.match(await failToSet(rest, wrong), /timed out waiting for DNS: no name server answered/u);
  await assertBack(/timed out waiting for DNS/u);
  await talk.assertGoesOn();

  say('  a wrong gateway, to be confirmed');
  await failToSet(rest, { ...wrong, confirmation_timeout: '20s' });
  await assertBack(/timed out waiting for DNS/u);

  say('  another address that nobody confirms');
  const elsewhere = withUplink({ addresses: [`${other}/24`] });
  await setNetwork(rest, { ...elsewhere, confirmation_timeout: '15s' });
  await assertBack(/not confirmed within/u);

  say('  a kill while it is applied');
  const applying = failToSet(rest, wrong).catch((error: unknown) => String(error));
  await until('the wrong gateway', rollbackMs, async () => {
    const { output } = await machine.guest('ip route show default');
    return output.includes('10.77.0.9') ? true : undefined;
  });
  await kill(machine);
  await applying;
  await assertBack(/the network service ended while it was being applied/u);

  say('  a kill while its confirmation is awaited, and none');
  await setNetwork(rest, { ...elsewhere, confirmation_timeout: '60s' });
  await kill(machine);
  await peer.assertReaches(other);
  await assertBack(/not confirmed within/u);

  say('  a kill while its confirmation is awaited, and one');
  await setNetwork(rest, { ...elsewhere, confirmation_timeout: '10m' });
  await kill(machine);
  await until('the confirmation', rollbackMs, async () => {
    await rest.succeed('POST', '/os/1.0/system/network/:confirm', { json: {} });
    return true;
  });
  assert.equal((await readNetwork(rest)).config.interfaces?.[1]?.addresses?.[0], `${other}/24`);
  await peer.assertReaches(other);
  await setNetwork(rest, before);

  say('  a power cut while its confirmation is awaited');
  await setNetwork(rest, { ...elsewhere, confirmation_timeout: '30m' });
  await peer.assertReaches(other);
  await machine.cutPower();
  await machine.boot();
  await peer.begin();
  await joined(machine, peer);
  await assertBack(/the machine was restarted before it was confirmed/u);
}

/** The other end is the gateway, and the way to the name server. */
async function joined(machine: TestMachine, peer: Peer): Promise<void> {
  await peer.join('bridge', { 0: '10.77.0.1/24' });
  await machine.inGuest(`ip -n peer address add ${nameServer}/32 dev lo`);
  await peer.answerNames(nameServer);
}

/** Ends the network service with no chance to tidy up, and waits for the next. */
async function kill(machine: TestMachine): Promise<void> {
  const unit = 'incus-os-network.service';
  await machine.inGuest(
    [
      `before=$(systemctl show -P MainPID ${unit})`,
      `systemctl kill --signal=KILL ${unit}`,
      `while [ "$(systemctl show -P MainPID ${unit})" = "$before" ] || ! systemctl is-active -q ${unit}; do sleep 0.2; done`,
    ].join('\n'),
  );
}

export const rollbackScenarios: readonly Scenario[] = [
  {
    name: 'network/rollback',
    sentence:
      'a change that fails, expires, is killed or loses power ends in the configuration before it, and says why',
    needs: ['running'],
    minutes: 30,
    run: rollback,
  },
];
