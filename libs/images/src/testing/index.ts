/** For tests: makes signed releases with the real `openssl` and serves them on loopback. */
export { ImageServer, type ServedRequest, type Answer } from './image-server.ts';
export {
  makeSigner,
  type SignedForm,
  type Signer,
  signerCertificate,
  type SignerOptions,
  signText,
} from './signing.ts';
export { feedIndex, type ReleaseSketch, sketchRelease } from './feed.ts';
export { ReleasePublisher } from './release-publisher.ts';
