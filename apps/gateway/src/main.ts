/** The gateway's process. */
import {
  announceReady,
  createLogger,
  detailOf,
  keepCompiledCode,
  onStop,
  reasonOf,
  stopOnSignals,
} from '@incusos/service';
import { startGateway } from './start.ts';

const defaultPort = 8443;

const started = performance.now();
const logger = createLogger('gateway');
process.on('unhandledRejection', (reason) => {
  logger.error('a promise failed and nobody waited for it', {
    error: detailOf(reason),
  });
  process.exit(1);
});

try {
  const address = process.env['INCUSOS_HTTPS_ADDRESS'];
  const gateway = await startGateway({
    port: portOf(process.env['INCUSOS_HTTPS_PORT']),
    ...(address === undefined ? {} : { address }),
    logger,
  });
  onStop(() => gateway.stop());
  stopOnSignals((message) => logger.warn(message));
  announceReady((message) => logger.warn(message));
  keepCompiledCode();
  logger.info('service is ready', {
    socket: gateway.socket,
    https_port: gateway.port,
    start_ms: Math.round(performance.now() - started),
  });
} catch (error) {
  logger.error('the gateway cannot start', { error: reasonOf(error) });
  process.exit(1);
}

function portOf(text: string | undefined): number {
  if (text === undefined || text === '') return defaultPort;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`INCUSOS_HTTPS_PORT is ${text}, not a port`);
  return port;
}
