/** What the add-on services' programs keep on disk. */

export interface AddonsSection {
  /** Open vSwitch's database, as far as anyone asks. */
  open_vswitch: { external_ids: Record<string, string> };
  tailscale: TailscaleNode;
  netbird: NetbirdPeer;
}

export interface TailscaleNode {
  /** Empty while it isn't logged in. */
  login_server: string;
  /** Node authorization keys that the login server takes; any that looks like one while there are none. */
  accepted_keys: string[];
  /** Settings of `tailscale set`, by flag. */
  prefs: Record<string, string>;
  /** What is served, as it was asked for. */
  serve: string[];
  peers: TailscalePeer[];
}

export interface TailscalePeer {
  readonly host_name: string;
  readonly os: string;
  readonly ip: string;
  readonly online: boolean;
}

export interface NetbirdPeer {
  registered: boolean;
  connected: boolean;
  /** What `netbird up` was told last, by flag. */
  config: Record<string, string>;
}

export function defaultAddons(): AddonsSection {
  return {
    open_vswitch: { external_ids: {} },
    tailscale: { login_server: '', accepted_keys: [], prefs: {}, serve: [], peers: [] },
    netbird: { registered: false, connected: false, config: {} },
  };
}
