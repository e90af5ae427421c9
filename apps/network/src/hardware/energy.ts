/**
 * Energy-efficient ethernet, through ethtool(8): udev of systemd 257 has no setting for it.
 *
 * Invariants: a card is only told what it doesn't do already, since some renegotiate their link when they are told; a
 * card that was told is remembered until it was told the opposite.
 */
import type { SystemNetworkConfig, SystemNetworkInterface } from '@incusos/contracts/network';
import type { Host } from '@incusos/host';
import { physicalName } from '../render/device-names.ts';

/** The cards that don't save energy because of us, a MAC per line. */
const record = '/run/incus-os/network.eee-off';
/** What ethtool says of cards that have nothing to switch, and of those that are gone. */
const nothingToSwitch = /not supported|no such device|no device matches name/iu;

/** @throws ProgramError when a card that could be switched wasn't. */
export async function setEnergySaving(host: Host, config: SystemNetworkConfig): Promise<void> {
  const off = new Set(cardsWithout(config));
  const before = new Set(
    (await host.files.exists(record))
      ? (await host.files.readText(record)).split('\n').filter((mac) => mac !== '')
      : [],
  );
  const all = new Set([...before, ...off]);
  if (all.size > before.size) await host.files.writeAtomic(record, lines(all));
  for (const mac of all) await switchCard(host, physicalName(mac), !off.has(mac));
  if (off.size === 0) await host.files.remove(record);
  else if (off.size < all.size) await host.files.writeAtomic(record, lines(off));
}

function lines(macs: ReadonlySet<string>): string {
  return [...macs].map((mac) => `${mac}\n`).join('');
}

function cardsWithout({ interfaces, bonds }: SystemNetworkConfig): string[] {
  const isOff = ({ ethernet }: Pick<SystemNetworkInterface, 'ethernet'>): boolean =>
    ethernet?.disable_energy_efficient === true;
  return [
    ...interfaces.filter(isOff).map(({ hwaddr }) => hwaddr),
    ...bonds.filter(isOff).flatMap(({ members }) => members),
  ].map((mac) => mac.toLowerCase());
}

async function switchCard(host: Host, name: string, on: boolean): Promise<void> {
  const shown = await host.programs.run(['ethtool', '--show-eee', name], { acceptExitCodes: 'any' });
  const status = /EEE status: *(enabled|disabled)/u.exec(shown.stdout)?.[1];
  if (status === undefined && nothingToSwitch.test(`${shown.stdout}${shown.stderr}`)) return;
  if (status === (on ? 'enabled' : 'disabled')) return;
  await host.programs.run(['ethtool', '--set-eee', name, 'eee', on ? 'on' : 'off']);
}
