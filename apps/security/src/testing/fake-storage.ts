import { Server, ServerCredentials } from '@grpc/grpc-js';
import { type ListRecoveryKeysResponse, StorageServiceService } from '@incusos/contracts/storage';

/** A storage service that knows the keys of pools and drives, and nothing else. */
export async function startFakeStorage(
  socket: string,
  keys: () => ListRecoveryKeysResponse,
): Promise<{ stop(): void }> {
  const server = new Server();
  server.addService(
    { listRecoveryKeys: StorageServiceService.listRecoveryKeys },
    {
      listRecoveryKeys: (_call: unknown, answer: (error: null, response: ListRecoveryKeysResponse) => void) =>
        answer(null, keys()),
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
  return { stop: () => server.forceShutdown() };
}
