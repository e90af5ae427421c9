/** Debian trixie's archive, by way of the mirrors that this machine's apt is set up with. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from './cache.ts';
import { output, step } from './programs.ts';
import { UserError } from './sentence.ts';

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

/**
 * The mirrors of the machine.
 * @throws UserError when apt has none, or the machine doesn't know Debian's keys.
 */
export function findArchive(architecture: string): Archive {
  const sites = output(['apt-get', 'indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages'])
    .split('\n')
    .map((uri) => uri.replace(/\/$/u, ''));
  const main = sites.find((uri) => uri.endsWith('/debian'));
  const security = sites.find((uri) => uri.endsWith('/debian-security'));
  if (main === undefined || security === undefined)
    throw new UserError('apt has no mirror of Debian and of its security updates; run apt-get update once.');
  const missing = keyrings.filter((path) => !existsSync(path));
  if (missing.length > 0)
    throw new UserError(
      `${missing.join(', ')} is missing: apt-get install debian-archive-keyring (2023.3 or newer).`,
    );
  return { architecture, main, security };
}

/** The archive's suites as one-line sources. */
export function sourceLines({ main, security }: Archive, signedBy?: string): string[] {
  const options = signedBy === undefined ? '' : `[signed-by=${signedBy}] `;
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
    `Types: deb\nURIs: ${uri}\nSuites: ${suites}\nComponents: ${components.join(' ')}\nSigned-By: ${keyring}\n`;
  return `${stanza(main, `${release} ${release}-updates`)}\n${stanza(security, `${release}-security`)}`;
}

/** Asks the archive what its newest packages are, apart from the machine's own package lists. */
export class PackageIndex {
  private readonly options: readonly string[];

  private constructor(options: readonly string[]) {
    this.options = options;
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
    const index = new PackageIndex([
      `Dir::Etc::SourceList=${list}`,
      'Dir::Etc::SourceParts=/dev/null',
      `Dir::State::Lists=${join(directory, 'lists')}`,
      `Dir::State::status=${status}`,
      `Dir::Cache=${directory}`,
      `APT::Architecture=${archive.architecture}`,
      `APT::Architectures=${archive.architecture}`,
      'APT::Sandbox::User=root',
    ]);
    await step(['apt-get', ...index.flags(), '-qq', 'update'], { log: join(directory, 'update.log') });
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

  private flags(): string[] {
    return this.options.flatMap((option) => ['-o', option]);
  }
}

/** The keyrings that sign the archive. */
export function archiveKeyrings(): readonly string[] {
  return keyrings;
}
