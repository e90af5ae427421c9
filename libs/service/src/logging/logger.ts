/**
 * The log of a process: on a terminal readable lines; under systemd readable lines with their priority in front, as the
 * journal wants them (sd-daemon(3)); else one JSON object a line with the journal's field names, which a supervisor takes
 * over. All services log as `incus-osd`, so that what asks for that unit finds them.
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

/** What every line has, or the journal knows by itself. */
const everywhere = new Set(['timestamp', 'level', 'message', 'service']);

function details(fields: object): string[] {
  const own = Object.entries(fields).filter(([key]) => !everywhere.has(key));
  return own.map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
}

const readable = winston.format.printf((info) => {
  const { timestamp, level, message, service } = info;
  return [timestamp, level.padEnd(5), String(service).padEnd(12), message, ...details(info)].join(' ');
});

/** A line break would end the message. */
const toJournal = winston.format.printf((info) => {
  const text = [info.message, ...details(info)].join(' ').replaceAll('\n', ' | ');
  return `<${priorities[info.level] ?? 6}>${text}`;
});

const toSupervisor = winston.format.printf((info) => {
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
  return winston.createLogger({
    level: process.env['INCUSOS_LOG_LEVEL'] ?? 'info',
    defaultMeta: { service },
    format: winston.format.combine(withCall(), winston.format.timestamp(), lines()),
    transports: [new winston.transports.Console()],
  });
}

function lines(): winston.Logform.Format {
  if (process.stdout.isTTY) return readable;
  return process.env['JOURNAL_STREAM'] === undefined ? toSupervisor : toJournal;
}
