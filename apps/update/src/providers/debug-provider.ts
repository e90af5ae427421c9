/** Releases in a directory of the machine itself, for those who build them: no signature, no channel, one release. */
import type { UpdateFull } from '@incusos/contracts/images';
import type { Host } from '@incusos/host';
import { assetKind, isVersion } from '@incusos/images';
import { ProviderError } from './provider-error.ts';
import type { ReleaseProvider } from './release-provider.ts';

const directory = '/root/updates';

export class DebugProvider implements ReleaseProvider {
  readonly name = 'debug';
  readonly canRegister = false;

  constructor(private readonly host: Host) {}

  register(): Promise<void> {
    return Promise.reject(new ProviderError('registration unsupported'));
  }

  clearCache(): void {
    // Looks into the directory each time.
  }

  async newestRelease(): Promise<UpdateFull | undefined> {
    const { files } = this.host;
    if (!(await files.exists(`${directory}/RELEASE`))) return undefined;
    const version = (await files.readText(`${directory}/RELEASE`)).trim();
    if (!isVersion(version))
      throw new ProviderError(`${directory}/RELEASE does not hold a version of twelve digits`);
    const names = (await files.list(directory)).filter((name) => name !== 'RELEASE');
    const found = await Promise.all(names.map((name) => this.describe(name)));
    return {
      format: '1.0',
      version,
      channels: [],
      files: found.filter((file) => file !== undefined),
      origin: 'debug',
      published_at: '',
      severity: 'none',
    };
  }

  /** Files lie here uncompressed; their kinds are known by their published names. */
  private async describe(name: string): Promise<UpdateFull['files'][number] | undefined> {
    const kind = assetKind(name) ?? assetKind(`${name}.gz`);
    const stat = await this.host.files.stat(`${directory}/${name}`);
    if (kind === undefined || stat === undefined) return undefined;
    return { ...kind, architecture: '', filename: name, sha256: '', size: BigInt(stat.size) };
  }
}
