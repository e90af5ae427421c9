/** Debian trixie's archive, by way of the mirrors that this machine's apt is set up with. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory, logOf } from './cache.ts';
import { output, step } from './programs.ts';
import { Interrupted, UserError } from './sentence.ts';

export const release = 'trixie';
const components = ['main', 'contrib', 'non-free-firmware'];
const keyrings = ['automatic', 'stable', 'security-automatic'].map(
  (name) => `/usr/share/keyrings/debian-archive-${release}-${name}.gpg`,
);

export interface Archive {
  /** Debian's architecture name. */
  readonly architecture: string;
  readonly main: string;
  readonly security: string;
}

/** Has this machine's apt read its package lists, which a bare system has none of. */
export async function prepareApt(): Promise<void> {
  if (/Candidate: (?!\(none\))/u.test(output(['apt-cache', 'policy', 'mmdebstrap']))) return;
  await step(['apt-get', '-qq', 'update', '--error-on=any'], { log: logOf('apt-update') });
}

/**
 * The mirrors of the machine.
 * @throws UserError when apt has none, or the machine doesn't know Debian's keys.
 */
export function findArchive(architecture: string): Archive {
  const sites = output(['apt-get', 'indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages'])
    .split('\n')
    .map((uri) => uri.replace(/\/$/u, ''));
  // Also a day of the archive's past, as snapshot servers have it.
  const main = sites.find((uri) => /\/debian(?:\/\d{8}T\d{6}Z)?$/u.test(uri));
  const security = sites.find((uri) => /\/debian-security(?:\/\d{8}T\d{6}Z)?$/u.test(uri));
  if (main === undefined || security === undefined)
    throw new UserError('apt has no mirror of Debian and of its security updates; run apt-get update once.');
  const missing = keyrings.filter((path) => !existsSync(path));
  if (missing.length > 0)
    throw new UserError(
      `${missing.join(', ')} is missing: apt-get install debian-archive-keyring (2023.3 or newer).`,
    );
  return { architecture, main, security };
}

/** What is past is not refused for its age. */
function isPast(uri: string): boolean {
  return /\/\d{8}T\d{6}Z$/u.test(uri);
}

/** The archive's suites as one-line sources. */
export function sourceLines({ main, security }: Archive, signedBy?: string): string[] {
  const settings = [
    ...(signedBy === undefined ? [] : [`signed-by=${signedBy}`]),
    ...(isPast(main) ? ['check-valid-until=no'] : []),
  ];
  const options = settings.length === 0 ? '' : `[${settings.join(' ')}] `;
  const all = components.join(' ');
  return [
    `deb ${options}${main} ${release} ${all}`,
    `deb ${options}${main} ${release}-updates ${all}`,
    `deb ${options}${security} ${release}-security ${all}`,
  ];
}

/** The archive as a deb822 file, with the keyring that Debian installs. */
export function sourceFile({ main, security }: Archive): string {
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  const stanza = (uri: string, suites: string): string =>
    `Types: deb\nURIs: ${uri}\nSuites: ${suites}\nComponents: ${components.join(' ')}\nSigned-By: ${keyring}\n${isPast(uri) ? 'Check-Valid-Until: no\n' : ''}`;
  return `${stanza(main, `${release} ${release}-updates`)}\n${stanza(security, `${release}-security`)}`;
}

/** A part of the archive as it was signed at one time. */
export interface Suite {
  readonly suite: string;
  /** As in its release file, such as `Sat, 14 Nov 2026 09:12:44 UTC`. */
  readonly published: string;
  /** Of the release file, which names every list of packages by its hash. */
  readonly sha256: string;
}

/** Asks the archive what its newest packages are, apart from the machine's own package lists. */
export class PackageIndex {
  private readonly options: readonly string[];
  private readonly lists: string;

  private constructor(options: readonly string[], lists: string) {
    this.options = options;
    this.lists = lists;
  }

  static async update(archive: Archive): Promise<PackageIndex> {
    const directory = join(cacheDirectory(), `index-${archive.architecture}`);
    for (const name of ['lists/partial', 'archives/partial'])
      mkdirSync(join(directory, name), { recursive: true });
    const list = join(directory, 'sources.list');
    const status = join(directory, 'status');
    writeFileSync(status, '');
    const keys = keyrings.join(',');
    writeFileSync(list, `${sourceLines(archive, keys).join('\n')}\n`);
    const lists = join(directory, 'lists');
    const index = new PackageIndex(
      [
        `Dir::Etc::SourceList=${list}`,
        'Dir::Etc::SourceParts=/dev/null',
        `Dir::State::Lists=${lists}`,
        `Dir::State::status=${status}`,
        `Dir::Cache=${directory}`,
        `APT::Architecture=${archive.architecture}`,
        `APT::Architectures=${archive.architecture}`,
        'APT::Sandbox::User=root',
      ],
      lists,
    );
    // Without the last option a mirror that can't be reached is but a warning.
    const update = ['-qq', 'update', '--error-on=any'];
    const log = join(directory, 'update.log');
    try {
      await step(['apt-get', ...index.flags(), ...update], { log });
    } catch (error) {
      if (!(error instanceof UserError) || error instanceof Interrupted) throw error;
      const sites = [...new Set([archive.main, archive.security])].join(' and ');
      throw new UserError(`${error.message}\nThe package lists of ${sites} can't be fetched.`);
    }
    return index;
  }

  /** The version of a package that would be installed. */
  version(name: string): string {
    return this.field(name, 'Version');
  }

  /** A field of a package's newest version. */
  field(name: string, field: string): string {
    const text = output(['apt-cache', ...this.flags(), 'show', '--no-all-versions', name]);
    const value = new RegExp(`^${field}: (.*)$`, 'mu').exec(text)?.[1];
    if (value === undefined) throw new UserError(`the archive has no ${field} of the package ${name}.`);
    return value;
  }

  /** The versions that would be installed, by package; without those that the archive doesn't have. */
  candidates(names: readonly string[]): ReadonlyMap<string, string> {
    const versions = new Map<string, string>();
    if (names.length === 0) return versions;
    const text = output(['apt-cache', ...this.flags(), 'policy', ...names]);
    for (const [, name, version] of text.matchAll(/^(\S+):\n {2}Installed: .*\n {2}Candidate: (.*)$/gmu)) {
      if (name !== undefined && version !== undefined) versions.set(name, version);
    }
    return versions;
  }

  /** Downloads the file of a package into a directory. */
  async download(name: string, directory: string): Promise<void> {
    await step(['apt-get', ...this.flags(), '-qq', 'download', name], {
      log: logOf(`download-${name}`),
      directory,
    });
  }

  /** What the archive is at this moment: its suites and when each was published. */
  snapshot(): Suite[] {
    return readdirSync(this.lists)
      .filter((name) => /_(?:In)?Release$/u.test(name))
      .toSorted()
      .map((name) => {
        const text = readFileSync(join(this.lists, name), 'utf8');
        const field = (key: string): string => new RegExp(`^${key}: (.*)$`, 'mu').exec(text)?.[1] ?? '';
        const sha256 = createHash('sha256').update(text).digest('hex');
        return { suite: field('Codename'), published: field('Date'), sha256 };
      });
  }

  private flags(): string[] {
    return this.options.flatMap((option) => ['-o', option]);
  }
}

/** The keyrings that sign the archive. */
export function archiveKeyrings(): readonly string[] {
  return keyrings;
}
