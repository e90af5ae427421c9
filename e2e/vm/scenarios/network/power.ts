/** Wake-on-LAN: a card is woken by the address that it is known by, so it gets that back before the power goes. */
import assert from 'node:assert/strict';
import type { Lab, Scenario } from '../../harness/scenario.ts';
import { until } from '../../harness/wait.ts';
import { fixedFirstCard, readNetwork, setClock, setNetwork } from './network-api.ts';

const offMs = 5 * 60_000;
/** Glances, of which there are some twenty in a second: more than fit between the resets of two cards. */
const enough = 5;

async function wakeable(lab: Lab): Promise<void> {
  const machine = await lab.running();
  await setClock(machine);
  const rest = await machine.rest();
  const awake = await machine.addNic('enp6s0=hub:1');
  const asleep = await machine.addNic('enp7s0=hub:1');
  const [first] = (await readNetwork(rest)).config.interfaces ?? [];
  assert.ok(first !== undefined);
  const idle = { addresses: [], required_for_online: 'no' };
  await until('the cards in the guest', offMs, async () => {
    const { code } = await machine.guest('ls /sys/class/net/enp6s0 /sys/class/net/enp7s0');
    return code === 0 ? true : undefined;
  });
  await setNetwork(rest, {
    interfaces: [
      fixedFirstCard(first.hwaddr),
      { ...idle, name: 'wakes', hwaddr: awake, ethernet: { wakeonlan: true } },
      { ...idle, name: 'sleeps', hwaddr: asleep },
    ],
  });
  assert.notEqual(await machine.presentMac('enp6s0'), awake, 'the card has no random address');
  // A card that is reset at the very end has its own address in any case, the one as the other.
  let awakeAlone = 0;
  await machine.powerOff(async () => {
    const [wakes, sleeps] = [await machine.presentMac('enp6s0'), await machine.presentMac('enp7s0')];
    if (wakes === awake && sleeps !== asleep) awakeAlone += 1;
  });
  assert.ok(
    awakeAlone >= enough,
    'the card that wakes the machine did not get its address back before the others',
  );
}

export const powerScenarios: readonly Scenario[] = [
  {
    name: 'network/power',
    sentence: 'a card that wakes the machine has its own address when the power goes',
    needs: ['running'],
    run: wakeable,
  },
];
