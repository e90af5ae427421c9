import { join, relative } from 'node:path';
import type { Layout } from '../directory.ts';

function shown(path: string): string {
  const near = relative(process.env['INIT_CWD'] ?? process.cwd(), path);
  return near.startsWith('..') ? path : near;
}

/** What a person sees when everything is healthy, and what to do next. */
export function welcome(layout: Layout, port: number, seconds: string): string {
  const client = shown(layout.client);
  const url = `https://127.0.0.1:${port}`;
  const options = `--cert ${join(client, 'client.crt')} --key ${join(client, 'client.key')} --cacert ${join(client, 'servercerts/incusos.crt')}`;
  return [
    '',
    `IncusOS is ready (after ${seconds} s)`,
    '',
    `  API                 ${url}/os/1.0`,
    `  client certificate  ${join(client, 'client.crt')}`,
    '',
    '  With the official client:',
    `    INCUS_CONF=${client} incus admin os show`,
    '  With curl:',
    `    curl ${options} ${url}/os/1.0/system/network`,
    '',
    '  Change the machine from a second terminal: npm run machine -- --help',
    '  Ctrl-C stops everything.',
    '',
    '',
  ].join('\n');
}
