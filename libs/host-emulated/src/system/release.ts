/** The release that a new machine has installed, as in `IncusOS_<release>.efi` and the partition labels. */
export const installedRelease = '202611120410';
