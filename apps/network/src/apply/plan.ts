/** What has to change on the machine for a configuration: files, devices that must be made anew, cards to be renamed. */

export interface Plan {
  /** Files to write, by name: new ones and those with another content. */
  readonly write: ReadonlyMap<string, string>;
  /** Names of files that are no longer wanted. */
  readonly remove: readonly string[];
  /** Devices that networkd would leave as they are: no longer wanted, or with other settings than they were made with. */
  readonly staleDevices: readonly StaleDevice[];
  /** MACs of cards whose `.link` file is new or changed, which udev has to look at again. */
  readonly cards: readonly string[];
}

export interface StaleDevice {
  readonly name: string;
  /** No longer wanted at all; otherwise it is made anew. */
  readonly removed: boolean;
  /** A bridge may have guests attached, which a change of its settings must not cut off. */
  readonly bridge: boolean;
}

/**
 * Compares the files in use with the wanted ones; what is the same in both is left alone.
 * @param present contents by file name.
 */
export function planChange(present: ReadonlyMap<string, string>, wanted: ReadonlyMap<string, string>): Plan {
  const write = new Map([...wanted].filter(([name, content]) => present.get(name) !== content));
  const remove = [...present.keys()].filter((name) => !wanted.has(name));
  const staleDevices = [...present]
    .filter(([name, content]) => name.endsWith('.netdev') && wanted.get(name) !== content)
    .flatMap(([name, content]) => staleDevice(content, !wanted.has(name)));
  const cards = [...write]
    .filter(([name]) => name.endsWith('.link'))
    .flatMap(([, content]) => valueOf(content, 'PermanentMACAddress'));
  return { write, remove, staleDevices, cards };
}

/** Whether nothing has to be done. */
export function isEmpty({ write, remove }: Plan): boolean {
  return write.size === 0 && remove.length === 0;
}

function staleDevice(content: string, removed: boolean): StaleDevice[] {
  // networkd gives a tunnel that is there its new keys and peers; its addresses and routes stay.
  if (!removed && valueOf(content, 'Kind').includes('wireguard')) return [];
  const bridge = valueOf(content, 'Kind').includes('bridge');
  return deviceOf(content).map((name) => ({ name, removed, bridge }));
}

/** The device of a `.netdev` file; its peer's name comes later in it. */
export function deviceOf(content: string): string[] {
  return valueOf(content, 'Name').slice(0, 1);
}

/** The link that a `.network` file is for; empty when it has none. */
export function matchedLink(content: string): string {
  return /^\[Match\]\nName=(.+)$/mu.exec(content)?.[1] ?? '';
}

/** The values of a key in one of our own files, in which no key has two meanings before its first section's end. */
function valueOf(content: string, key: string): string[] {
  return content
    .split('\n')
    .filter((line) => line.startsWith(`${key}=`))
    .map((line) => line.slice(key.length + 1));
}
