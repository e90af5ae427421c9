/** Where releases come from. */
import type { UpdateFull } from '@incusos/contracts/images';

export interface ReleaseProvider {
  readonly name: 'images' | 'debug';
  /** Whether it has registration at all, with its present configuration. */
  readonly canRegister: boolean;
  /** Makes the machine known to the provider; only called when it can. */
  register(signal: AbortSignal): Promise<void>;
  /**
   * Tells a provider that keeps a register of machines what changed about this one; left out where there is none.
   * @param cause in the words of the Operations Center, such as `network-config-changed`.
   */
  refresh?(cause: string, signal: AbortSignal): Promise<void>;
  /** What was learned before is not used any more. */
  clearCache(): void;
  /**
   * The newest release that suits this machine, with the files for its architecture.
   * @returns nothing when there is none.
   * @throws ProviderError, FeedError
   */
  newestRelease(signal: AbortSignal): Promise<UpdateFull | undefined>;
}
