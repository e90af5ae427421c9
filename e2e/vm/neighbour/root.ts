/**
 * The neighbour's disk and kernel: Debian with what stands at the other end of an appliance's cables. Made once for a list
 * of packages and the files here, outside of the checkout.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Archive, release } from '../../../image/tools/archive.ts';
import { cached, keyOf, logOf } from '../../../image/tools/cache.ts';
import { inside, makeRoot } from '../../../image/tools/roots.ts';
import { part } from '../../../image/tools/sentence.ts';
import { guestServer } from '../harness/guest.ts';

const packages = [
  // The machine itself.
  ...['busybox-static', 'iproute2', 'kmod', 'mount', 'procps', 'tini'],
  // To look and to try.
  ...['bind9-dnsutils', 'conntrack', 'curl', 'ethtool', 'iperf3', 'iputils-arping', 'iputils-ping', 'ncat'],
  ...['ndisc6', 'openssl', 'tcpdump', 'tshark'],
  // What networks have.
  ...['ca-certificates', 'chrony', 'dnsmasq-base', 'krb5-admin-server', 'krb5-kdc', 'krb5-user', 'lldpd'],
  ...['nftables', 'squid', 'tinyproxy-bin', 'unbound', 'wireguard-tools'],
  ...['openvswitch-switch', 'ovn-central'],
  // Storage by network.
  'tgt',
];

/** Small, and with all of the kernel's networking. */
const kernelPackage = (architecture: string): string => `linux-image-cloud-${architecture}`;

/** What is read by people only. */
const unread = ['doc', 'info', 'lintian', 'locale', 'man', 'wireshark/help'];

/** The kernel's package would have an initrd made by tools that are of no use here, so it is unpacked only. */
const unpackKernel = `set -e
export APT_CONFIG=$MMDEBSTRAP_APT_CONFIG
cd "$1/tmp"
apt-get -o APT::Sandbox::User=root -qq download "$(apt-cache depends KERNEL | sed -n 's/^ *Depends: *\\(linux-image-.*\\)/\\1/p')"
dpkg-deb -x linux-image-*.deb "$1"
rm linux-image-*.deb`;

/** In the order of their need; with what they need themselves. */
const earlyModules = ['virtio_blk', 'erofs', 'overlay'];

/** Makes of a tree of files what QEMU takes: the kernel, an initrd and a file system. */
const pack = `set -e
kernel=$(ls /tree/usr/lib/modules)
depmod -b /tree "$kernel"
mkdir -p /tree/usr/lib/neighbour
cp /files/start /files/shell /tree/usr/lib/neighbour
chmod 755 /tree/usr/lib/neighbour/*
rm -f /tree/etc/resolv.conf /tree/etc/hosts
cp "/tree/boot/vmlinuz-$kernel" /out/vmlinuz
rm -rf /tree/boot/* /tree/var/cache/apt /tree/var/lib/apt/lists

mkdir -p /initrd/bin /initrd/modules /initrd/proc /initrd/sys /initrd/dev /initrd/lower /initrd/upper /initrd/system
cp /tree/usr/bin/busybox /initrd/bin
cp /files/init /initrd/init
chmod 755 /initrd/init
for module in ${earlyModules.join(' ')}; do modprobe -d /tree -S "$kernel" -D $module; done |
  sed -n 's/^insmod \\([^ ]*\\).*/\\1/p' | awk '!seen[$0]++' | while read -r path; do
    name=$(basename "$path" .xz)
    case $path in
      *.xz) xz -dc "$path" >"/initrd/modules/$name" ;;
      *) cp "$path" "/initrd/modules/$name" ;;
    esac
    echo "$name" >>/initrd/modules/order
  done
(cd /initrd && find . | cpio --quiet -o -H newc -R 0:0) >/out/initrd
mkfs.erofs --quiet -Enoinline_data /out/root.erofs /tree`;

/** A file of the directory that {@link neighbourRoot} gives. */
export const rootFiles = { kernel: 'vmlinuz', initrd: 'initrd', root: 'root.erofs' } as const;

const files = join(import.meta.dirname, 'files');

/** By what the root is made of. */
export function rootKey(): string {
  const texts = readdirSync(files).map((name) => readFileSync(join(files, name), 'utf8'));
  return keyOf(release, ...packages, ...unread, kernelPackage(''), unpackKernel, pack, guestServer, ...texts);
}

/** The directory with {@link rootFiles}. */
export function neighbourRoot(archive: Archive, tools: string): Promise<string> {
  const name = `neighbour-${rootKey()}`;
  return cached(name, (partial) =>
    part("the neighbour's root", async (now) => {
      const directory = (of: string): string => `${partial}.${of}`;
      for (const path of [partial, directory('files'), directory('initrd')])
        mkdirSync(path, { recursive: true });
      await makeRoot(archive, directory('tree'), packages, {
        log: logOf(name),
        now,
        more: [
          ...unread.map((path) => `--dpkgopt=path-exclude=/usr/share/${path}/*`),
          `--customize-hook=${unpackKernel.replace('KERNEL', kernelPackage(archive.architecture))}`,
        ],
      });
      for (const file of readdirSync(files))
        writeFileSync(join(directory('files'), file), readFileSync(join(files, file)));
      writeFileSync(join(directory('files'), 'shell'), guestServer);
      now('file system');
      await inside(tools, ['sh', '-c', pack], {
        log: logOf(`${name}-pack`),
        mounts: {
          ...{ '/tree': directory('tree'), '/files': directory('files') },
          ...{ '/initrd': directory('initrd'), '/out': partial },
        },
      });
      for (const name of ['tree', 'files', 'initrd'])
        rmSync(directory(name), { recursive: true, force: true });
    }),
  );
}
