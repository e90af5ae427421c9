/**
 * What systemd itself says of the files that are made of configurations: its own networkd and udev read them, those of
 * Debian's release that the image is made of. No machine is needed for it; what they do on one is the others' matter.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { cardMac, configurations } from '../../../../apps/network/src/testing/configurations.ts';
import { renderFiles } from '../../../../apps/network/src/render/render.ts';
import { writeOptionsOf } from '../../../../apps/network/src/render/secret-files.ts';
import { inside } from '../../../../image/tools/roots.ts';
import type { Lab, Scenario } from '../../harness/scenario.ts';

const numRuns = 150;
/** The same configurations in every run, so that a failure is one of the change that it came with. */
const seed = 257;
const limits = new Map(
  Array.from({ length: 12 }, (_, number) => [cardMac(number), number % 3 === 0 ? 1500 : 9000] as const),
);
const script = join(import.meta.dirname, 'systemd-verdict');

/** What must be complained about, or else nobody listens: by file, with a piece of the complaint. */
const broken: Readonly<Record<string, readonly [content: string, complaint: string]>> = {
  '10-broken.netdev': ['[NetDev]\nName=broken\nKind=bridge\n[Bridge]\nHeight=3\n', "Unknown key 'Height'"],
  '20-broken.network': ['[Match]\nName=broken\n[Route]\nGateway=dhcp6\n', 'Failed to parse Gateway=dhcp6'],
  '30-broken.link': ['[Match]\nOriginalName=broken\n[Link]\nMTUBytes=much\n', 'Failed to parse'],
};

interface Verdict {
  /** Files that were read to their end. */
  readonly read: readonly string[];
  readonly complaints: readonly string[];
}

const wasRead =
  /^(?:Parsed configuration file "\/run\/systemd\/network\/(.+)"|\/run\/systemd\/network\/(.+): Successfully loaded\.)$/u;

/** What was said about each directory's files. */
function verdicts(log: string): Map<string, Verdict> {
  const parts = log.split(/^==== (.+)\n/mu).slice(1);
  const found = new Map<string, Verdict>();
  for (let index = 0; index < parts.length; index += 2) {
    const lines = (parts[index + 1] ?? '').split('\n');
    const about = lines.filter((line) => line.includes('/run/systemd/network/'));
    const read = about.flatMap((line) => {
      const [, link, other] = wasRead.exec(line) ?? [];
      return [link, other].filter((name) => name !== undefined);
    });
    const complaints = about.filter((line) => !wasRead.test(line));
    found.set(parts[index] ?? '', { read, complaints });
  }
  return found;
}

async function systemdAccepts(lab: Lab): Promise<void> {
  const directory = join(lab.directory, 'configurations');
  const write = (name: string, files: Iterable<readonly [string, string]>): void => {
    mkdirSync(join(directory, name), { recursive: true });
    // With the permissions that they have on a machine: both find fault with a secret that everyone may read.
    for (const [file, content] of files)
      writeFileSync(join(directory, name, file), content, {
        mode: writeOptionsOf(file, content).mode ?? 0o644,
      });
  };
  const drawn = fc.sample(configurations, { seed, numRuns });
  for (const [number, config] of drawn.entries()) {
    write(`drawn-${number}`, renderFiles(config, limits));
    writeFileSync(join(lab.directory, `drawn-${number}.json`), JSON.stringify(config, undefined, 2));
  }
  write(
    'broken',
    Object.entries(broken).map(([file, [content]]) => [file, content] as const),
  );

  const log = join(lab.directory, 'systemd.log');
  await inside(lab.host.tools, ['unshare', '--net', 'bash', '/from/systemd-verdict', '/to'], {
    log,
    mounts: { '/from': join(script, '..'), '/to': directory },
  });
  const said = readFileSync(log, 'utf8');
  assert.match(said, /^systemd 257 /mu, 'the image has another systemd');
  const found = verdicts(said);

  const heard = found.get('broken')?.complaints ?? [];
  for (const [file, [, complaint]] of Object.entries(broken)) {
    const complained = heard.some((line) => line.includes(file) && line.includes(complaint));
    assert.ok(complained, `nothing was said about ${file}: ${heard.join('\n')}`);
  }
  let files = 0;
  for (const number of drawn.keys()) {
    const name = `drawn-${number}`;
    const written = readdirSync(join(directory, name));
    const { read, complaints } = found.get(name) ?? { read: [], complaints: ['nothing was said'] };
    assert.deepEqual(complaints, [], `about ${name}`);
    assert.deepEqual(read.toSorted(), written.toSorted(), `the files of ${name} that were read`);
    files += written.length;
  }
  lab.note(
    'what systemd-networkd and udev read without a complaint',
    `${files} files of ${drawn.length} configurations, by ${/^systemd 257 .*/mu.exec(said)?.[0] ?? ''}`,
  );
}

export const rendererScenarios: readonly Scenario[] = [
  {
    name: 'network/renderer',
    sentence: "systemd's own programs have nothing to say against the files of any valid configuration",
    needs: [],
    quick: true,
    run: systemdAccepts,
  },
];
