/** Whether the appliance has got the application that it is for. */
import type { ApplicationsServiceService } from '@incusos/contracts/applications';
import type { ServiceClient } from '@incusos/service';

/** Injects the client of the applications service. */
export const APPLICATIONS_CLIENT = Symbol('applications-client');

export type ApplicationsClient = Pick<ServiceClient<typeof ApplicationsServiceService>, 'listCatalogue'>;

/** @throws DomainError when the applications service doesn't say. */
export async function isPrimaryInstalled(client: ApplicationsClient): Promise<boolean> {
  const { applications } = await client.listCatalogue({});
  return applications.some(({ primary, installed }) => primary && installed);
}
