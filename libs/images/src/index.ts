/** The release feed: what is published, by whom it is signed, and which release suits a machine. */
export { assetKind, type AssetKind } from './asset-names.ts';
export { FeedError, type FeedProblem } from './feed-error.ts';
export { parseIndex, parseUpdate } from './release-index.ts';
export {
  applicationFile,
  type Architecture,
  hasOperatingSystem,
  secureBootFile,
  type Selection,
  selectRelease,
  type SelectedRelease,
} from './select-release.ts';
export { openSigned, type SignedText, type Trust } from './smime/open-signed.ts';
export { readAuthority } from './smime/chain.ts';
export { isNewer, isVersion } from './version.ts';
