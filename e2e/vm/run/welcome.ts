import { join, relative } from 'node:path';

/** A path as a person would type it. */
export function shown(path: string): string {
  const near = relative(process.env['INIT_CWD'] ?? process.cwd(), path);
  return near.startsWith('..') ? path : near;
}

export interface Welcome {
  /** The client's configuration directory. */
  readonly client: string;
  readonly port: number;
  readonly seconds: number;
  /** What has to be typed after `npm run vm -- ctl` to reach this machine. */
  readonly dirOption: string;
}

/** What a person sees when the API answers, and what to do next: the same that `npm start` says. */
export function welcome({ client: directory, port, seconds, dirOption }: Welcome): string {
  const client = shown(directory);
  const url = `https://127.0.0.1:${port}`;
  const options = `--cert ${join(client, 'client.crt')} --key ${join(client, 'client.key')} --cacert ${join(client, 'servercerts/incusos.crt')}`;
  return [
    '',
    `IncusOS is ready on the virtual machine (after ${Math.round(seconds)} s)`,
    '',
    `  API                 ${url}/os/1.0`,
    `  client certificate  ${join(client, 'client.crt')}`,
    '',
    '  With the official client:',
    `    INCUS_CONF=${client} incus admin os show`,
    '  With curl:',
    `    curl ${options} ${url}/os/1.0/system/network`,
    '',
    `  Change the machine from a second terminal: npm run vm -- ctl ${dirOption}--help`,
    '  Ctrl-C powers off.',
    '',
    '',
  ].join('\n');
}
