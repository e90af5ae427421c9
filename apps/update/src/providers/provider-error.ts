/** A provider that can't be used, in a sentence for whoever asked for a check or changed the configuration. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';
}
