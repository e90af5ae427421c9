/** The contract of every service that owns add-ons, and the add-ons' messages. */
export * from './generated/incusos/addons/v1/addon_host.ts';
export * from './generated/incusos/addons/v1/ceph.ts';
export * from './generated/incusos/addons/v1/iscsi.ts';
export * from './generated/incusos/addons/v1/linstor.ts';
export * from './generated/incusos/addons/v1/lvm.ts';
export * from './generated/incusos/addons/v1/multipath.ts';
export * from './generated/incusos/addons/v1/netbird.ts';
export * from './generated/incusos/addons/v1/nvme.ts';
export * from './generated/incusos/addons/v1/ovn.ts';
export * from './generated/incusos/addons/v1/tailscale.ts';
export * from './generated/incusos/addons/v1/usbip.ts';
