/** Files with a secret, which only those may read who need it. */
import type { WriteOptions } from '@incusos/host';

/** Who networkd runs as: it reads `.netdev` files, and it is no root. udev, which reads `.link` files, is. */
const networkdGroup = 'systemd-network';

const secrets = /^(?:PrivateKey|PresharedKey|WakeOnLanPassword)=/mu;

export function writeOptionsOf(name: string, content: string): WriteOptions {
  if (!secrets.test(content)) return {};
  return name.endsWith('.link') ? { mode: 0o600 } : { mode: 0o640, group: networkdGroup };
}
