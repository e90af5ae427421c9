import { HealthCheckResponse_ServingStatus as ServingStatus, HealthService } from '@incusos/contracts/health';
import { DomainError } from '../errors/domain-error.ts';
import { connectService } from './client.ts';

/**
 * Whether a service answers and says that it is ready.
 * @param timeoutMs how long to wait for the answer.
 */
export async function checkHealth(service: string, timeoutMs: number, socket?: string): Promise<boolean> {
  const connection = connectService(service, socket);
  try {
    const { status } = await connection.use(HealthService).check({ service: '' }, { timeoutMs });
    return status === ServingStatus.SERVING;
  } catch (error) {
    if (error instanceof DomainError) return false;
    throw error;
  } finally {
    connection.close();
  }
}
