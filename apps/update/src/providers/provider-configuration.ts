/** The rules of the provider's configuration. */
import type { SystemProviderConfig } from '@incusos/contracts/update';
import { FeedError } from '@incusos/images';
import { DomainError, invalidField } from '@incusos/service';
import { checkUpdateCa } from '../feed/trust-anchors.ts';

export type SupportedProvider = 'images' | 'debug';

/**
 * Checks a configuration.
 * @returns the name of its provider.
 * @throws DomainError INVALID_REQUEST naming the field, NOT_IMPLEMENTED.
 */
export function checkProviderConfiguration({ name, config }: SystemProviderConfig): SupportedProvider {
  switch (name) {
    case 'images':
      checkServerUrl(config['server_url'] ?? '');
      checkAuthority(config['update_ca'] ?? '');
      return name;
    case 'debug':
      return name;
    case 'operations-center':
      throw new DomainError('NOT_IMPLEMENTED', 'the operations-center provider is not implemented');
    case '':
      throw invalidField('config.name', 'a provider name must be specified');
    default:
      throw invalidField('config.name', `unknown provider ${JSON.stringify(name)}`);
  }
}

function checkServerUrl(text: string): void {
  if (text === '') return;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    throw invalidField('config.config.server_url', 'config.config.server_url: must be an http or https URL');
  }
}

function checkAuthority(pem: string): void {
  if (pem === '') return;
  try {
    checkUpdateCa(pem);
  } catch (error) {
    if (error instanceof FeedError)
      throw invalidField('config.config.update_ca', 'config.config.update_ca: is not a certificate in PEM');
    throw error;
  }
}
