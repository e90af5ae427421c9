/**
 * The configuration that the machine always comes back to: that of the state file, or what a first boot makes.
 *
 * Invariant: whatever is wrong with it, the machine ends with a network if any can be made from it.
 */
import type { SystemNetworkConfig } from '@incusos/contracts/network';
import type { Host } from '@incusos/host';
import { type Logger, reasonOf } from '@incusos/service';
import type { StateStore } from '@incusos/state';
import { defaultConfig } from '../config/defaults.ts';
import { isMac } from '../config/hardware-addresses.ts';
import { resolveNames } from '../config/resolve-names.ts';
import { seededConfig } from '../config/seeded-config.ts';
import type { CardNames, NetworkState } from '../network-state.ts';
import { type NetworkCard, rememberNames, withEarlierNames } from '../state/ip.ts';
import { applyConfig, readCards } from './apply.ts';
import type { Patience } from './step.ts';

/** A part of the configuration had to be left out because the machine lacks its card. */
export class MissingCardsError extends Error {
  override readonly name = 'MissingCardsError';
}

export class StoredConfig {
  constructor(
    private readonly host: Host,
    private readonly store: StateStore<NetworkState>,
    private readonly logger: Logger,
  ) {}

  get current(): SystemNetworkConfig | undefined {
    return this.store.current.config ?? undefined;
  }

  /** The cards of the machine, also under the names that they had before they were renamed. */
  async cards(): Promise<NetworkCard[]> {
    return withEarlierNames(await readCards(this.host), this.store.current.card_names);
  }

  /** @throws StateWriteError when the disk refused it. */
  async commit(config: SystemNetworkConfig, cardNames: CardNames): Promise<void> {
    await this.store.commit('network configuration', (state) => ({
      ...state,
      config,
      card_names: cardNames,
    }));
  }

  /**
   * Brings the machine to it, from wherever it is.
   * @throws StepError when the machine did not do as it was told; MissingCardsError after the rest of it was applied.
   */
  async apply(patience: Patience = {}): Promise<void> {
    const cards = await this.cards();
    const stored = this.current;
    const persevering = { ...patience, persevere: true };
    if (stored === undefined) await this.applyFirst(cards, persevering);
    else await this.applyStored(stored, cards, persevering);
  }

  /** What the seed of a machine wants that was never configured, else what every machine has. */
  private async applyFirst(cards: readonly NetworkCard[], patience: Patience): Promise<void> {
    // A seed that can't be used locks nobody out.
    const seeded = await seededConfig(this.host, cards).catch((error: unknown) => {
      this.logger.error('the network seed is not used, every card asks for its addresses', {
        error: reasonOf(error),
      });
    });
    const config = seeded ?? defaultConfig(cards);
    // Kept, it would be the configuration for good of a machine whose cards were only late.
    if (config.interfaces.length + config.bonds.length === 0)
      throw new MissingCardsError('the machine has no network device');
    await this.commitIfPossible(config, cards);
    await applyConfig(this.host, config, patience);
  }

  private async applyStored(
    stored: SystemNetworkConfig,
    cards: readonly NetworkCard[],
    patience: Patience,
  ): Promise<void> {
    const config = resolveNames(stored, { cards, configured: undefined });
    const { present, missing } = withoutMissing(config);
    if (missing.length === 0) {
      if (JSON.stringify(stored) !== JSON.stringify(config)) await this.commitIfPossible(config, cards);
      await applyConfig(this.host, config, patience);
      return;
    }
    const left = present.interfaces.length + present.bonds.length;
    await applyConfig(this.host, left > 0 ? present : defaultConfig(cards), patience);
    throw new MissingCardsError(`the machine has no network device ${missing.join(', ')}`);
  }

  /** A state that was refused is only replaced when somebody decides so. */
  private async commitIfPossible(config: SystemNetworkConfig, cards: readonly NetworkCard[]): Promise<void> {
    if (this.store.problem !== undefined) return;
    await this.commit(config, rememberNames(cards, this.store.current.card_names));
  }
}

/** The part of a configuration whose cards are known by MAC, and the names that no card has. */
export function withoutMissing(config: SystemNetworkConfig): {
  readonly present: SystemNetworkConfig;
  readonly missing: readonly string[];
} {
  const missing = new Set<string>();
  const known = (name: string): boolean => {
    if (!isMac(name)) missing.add(name);
    return isMac(name);
  };
  const interfaces = config.interfaces.filter(({ hwaddr }) => known(hwaddr));
  const bonds = config.bonds
    .map((bond) => ({ ...bond, members: bond.members.filter(known) }))
    .filter(({ members, hwaddr = '' }) => members.length > 0 && (hwaddr === '' || known(hwaddr)));
  const parents = new Set([...interfaces, ...bonds].map(({ name }) => name));
  const vlans = config.vlans.filter(({ parent }) => parents.has(parent));
  return { present: { ...config, interfaces, bonds, vlans }, missing: [...missing] };
}
