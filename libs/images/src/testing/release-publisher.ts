/** Publishes releases that an emulated machine trusts. */
import { join } from 'node:path';
import { ensureSigningPki, type SigningPki } from '@incusos/host-emulated';
import { feedIndex, type ReleaseSketch, sketchRelease } from './feed.ts';
import { ImageServer } from './image-server.ts';
import { makeSigner, type SignedForm, type Signer, signText } from './signing.ts';

export class ReleasePublisher {
  private constructor(
    readonly pki: SigningPki,
    readonly signer: Signer,
    readonly server: ImageServer,
  ) {}

  /**
   * A publisher with a running server.
   * @param machineDirectory the directory of an emulated machine, whose authorities are used. Any other directory makes
   * a stranger of the publisher: authorities are made in it.
   */
  static async start(machineDirectory: string): Promise<ReleasePublisher> {
    const pki = await ensureSigningPki(join(machineDirectory, 'pki'));
    return new ReleasePublisher(
      pki,
      await makeSigner(pki, join(machineDirectory, 'pki')),
      await ImageServer.start(),
    );
  }

  /** For the provider's `server_url`. */
  get url(): string {
    return this.server.url;
  }

  /** Replaces what is published, newest release first. */
  async publish(releases: readonly ReleaseSketch[], form: SignedForm = 'detached'): Promise<void> {
    const index = feedIndex(releases);
    this.server.serve('/index.json', index);
    this.server.serve('/index.sjson', await signText(index, this.signer, form));
    for (const sketch of releases) {
      const metadata = JSON.stringify(sketchRelease(sketch));
      this.server.serve(`/${sketch.version}/update.json`, metadata);
      this.server.serve(`/${sketch.version}/update.sjson`, await signText(metadata, this.signer, form));
    }
  }

  close(): Promise<void> {
    return this.server.close();
  }
}
