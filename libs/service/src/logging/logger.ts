/**
 * The log of a process: on a terminal readable lines, else one JSON object a line with the journal's field names,
 * which the journal (or the supervisor) takes over. All services log as `incus-osd`, so that what asks for that unit
 * finds them.
 */
import winston from 'winston';
import { currentCall } from '../grpc/call-context.ts';

export type Logger = winston.Logger;

/** syslog(3) priorities. */
const priorities: Readonly<Record<string, number>> = { error: 3, warn: 4, info: 6, debug: 7 };

const withCall = winston.format((info) => {
  const call = currentCall();
  return call === undefined ? info : { ...info, correlation_id: call.correlationId };
});

const readable = winston.format.printf((info) => {
  const { timestamp, level, message, service, ...rest } = info;
  const details = Object.entries(rest).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return [timestamp, level.padEnd(5), String(service).padEnd(12), message, ...details].join(' ');
});

const journal = winston.format.printf((info) => {
  const { timestamp, level, message, service, ...rest } = info;
  const fields = Object.entries(rest).map(([key, value]) => [
    key.toUpperCase(),
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  return JSON.stringify({
    MESSAGE: message,
    PRIORITY: String(priorities[level] ?? 6),
    SYSLOG_IDENTIFIER: 'incus-osd',
    INCUSOS_SERVICE: service,
    INCUSOS_TIME: timestamp,
    ...Object.fromEntries(fields),
  });
});

/**
 * A logger for one service.
 * @param service its name, on every line.
 */
export function createLogger(service: string): Logger {
  const terminal = process.stdout.isTTY;
  return winston.createLogger({
    level: process.env['INCUSOS_LOG_LEVEL'] ?? 'info',
    defaultMeta: { service },
    format: winston.format.combine(withCall(), winston.format.timestamp(), terminal ? readable : journal),
    transports: [new winston.transports.Console()],
  });
}
