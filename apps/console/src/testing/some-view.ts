/** A machine like many, of which a test changes what it is about. */
import type { LogLine, View } from '../screen/view.ts';

export function someView(changes: Partial<View> = {}): View {
  return {
    now: new Date('2026-11-20T08:00:12Z'),
    timeZone: 'UTC',
    hostname: 'server01.example.net',
    osName: 'IncusOS',
    osVersion: '202611200705',
    machineId: 'f75ff7da0f7a49d49f1e98669a70fdcc',
    ready: true,
    missing: [],
    interfaces: [{ name: 'enp5s0', addresses: ['192.0.2.134', '2001:db8::1'], state: 'routable' }],
    applications: [{ name: 'incus', version: '7.0.2 [202611120410]' }],
    recoveryKeysRetrieved: true,
    log: [someLine('service is ready')],
    messages: [],
    ...changes,
  };
}

export function someLine(text: string, changes: Partial<LogLine> = {}): LogLine {
  return { at: new Date('2026-11-20T08:00:01Z'), service: 'network', level: 'info', text, ...changes };
}
