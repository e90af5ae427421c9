/** The gateway speaks REST and no gRPC, so it has no health service: what counts is that it takes connections. */
import { connect } from 'node:net';
import { join } from 'node:path';
import { runDirectory, usableSocketPath } from '@incusos/service';

export function gatewayListens(): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(usableSocketPath(join(runDirectory(), 'unix.socket')));
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}
