/** Where the proxy listens: on the sockets that systemd holds for it (sd_listen_fds(3)), else on those it is told. */
import type { Server } from 'node:http';

/** The number of the first socket. */
const firstSocket = 3;

type Place = { readonly fd: number } | { readonly host: string; readonly port: number };

/** @param places `host:port` in turn, separated by spaces, for a process that systemd doesn't start. */
function placesOf(environment: NodeJS.ProcessEnv): Place[] {
  const { LISTEN_FDS: sockets, LISTEN_PID: receiver, INCUSOS_PROXY_LISTEN: places } = environment;
  // They may be another process's that started this one.
  if (sockets !== undefined && receiver === String(process.pid))
    return Array.from({ length: Number(sockets) }, (_, index) => ({ fd: firstSocket + index }));
  return (places ?? 'localhost:3128').split(' ').map((place) => {
    const colon = place.lastIndexOf(':');
    return { host: place.slice(0, colon), port: Number(place.slice(colon + 1)) };
  });
}

/** @param serve makes a server for each place. */
export async function listen(serve: () => Server, environment: NodeJS.ProcessEnv): Promise<Server[]> {
  const started = placesOf(environment).map(
    (place) =>
      new Promise<Server>((resolve, reject) => {
        const server = serve();
        server.once('error', reject);
        server.listen(place, () => resolve(server));
      }),
  );
  return Promise.all(started);
}
