/** Publishes releases that a machine under test trusts. */
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
   * @param directory for its signer's files, such as that of the machine.
   * @param authorities the directory of the authorities that the machine trusts; an emulated one has them in its own.
   * In any other directory authorities are made, which makes a stranger of the publisher.
   */
  static async start(
    directory: string,
    authorities: string = join(directory, 'pki'),
  ): Promise<ReleasePublisher> {
    const pki = await ensureSigningPki(authorities);
    return new ReleasePublisher(
      pki,
      await makeSigner(pki, join(directory, 'pki')),
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
