/** ZFS pools: the layouts there are, and what happens to their members. */
import { disk, run, type Scene, start, stop, type Step } from '../scene.ts';

const keyFile = '/run/samples/pool.key';
/** 32 bytes that are no secret. */
const poolKey: Step = {
  write: keyFile,
  text: Buffer.from('0123456789abcdef0123456789abcdef').toString('base64'),
  base64: true,
};
const status = run('zpool status -tjp --json-int');
const datasets = run(
  'zfs list -d 1 -p -o name,quota,used,incusos:use,keystatus,special_small_blocks -j --json-int',
);

function create(pool: string, layout: string, more = ''): string {
  const encryption = `-O mountpoint=none -O encryption=aes-256-gcm -O keyformat=raw -O keylocation=file://${keyFile}`;
  return `zpool create${more} -o ashift=12 ${encryption} ${pool} ${layout}`;
}

const pair = `mirror ${disk('a')} ${disk('b')}`;
const events = 'zpool events -f -H';
const search = '-d /dev/disk/by-id -d /dev/disk/by-partlabel -d /dev/disk/by-path -d /dev/mapper';
/**
 * Leaves the drives blank. Until udev is done with what a partition table left behind, ZFS may take the link of a
 * partition that is about to go.
 */
const blank = [
  'for pool in tank other; do zpool destroy -f $pool 2>/dev/null; done',
  'for drive in a b c d e small; do',
  '  drive=/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_$drive',
  '  [ ! -e $drive-part1 ] || { zpool labelclear -f $drive-part1; sgdisk -Z $drive; } >/dev/null 2>&1',
  'done',
  'udevadm settle --timeout=100; sleep 1; udevadm settle --timeout=100',
].join('\n');
const cleanUp = blank;
/** In the middle of a scene. */
const startAnew: readonly Step[] = [run('zpool destroy -f tank'), { real: blank }];

function layout(name: string, about: string, words: string, more: readonly Step[] = []): Scene {
  return {
    name: `storage/${name}`,
    about,
    steps: [poolKey, run(create('tank', words)), status, ...more, run('zpool destroy -f tank')],
    cleanUp,
  };
}

export const poolScenes: readonly Scene[] = [
  layout('stripe', 'a pool of two drives without redundancy', `${disk('a')} ${disk('b')}`),
  layout('two-mirrors', 'a pool of two mirrors', `${pair} mirror ${disk('c')} ${disk('d')}`),
  layout('raidz1', 'a RAIDZ1', `raidz1 ${disk('a')} ${disk('b')} ${disk('c')}`),
  layout('raidz2', 'a RAIDZ2', `raidz2 ${['a', 'b', 'c', 'd'].map(disk).join(' ')}`),
  layout('raidz3', 'a RAIDZ3', `raidz3 ${['a', 'b', 'c', 'd', 'e'].map(disk).join(' ')}`),
  layout(
    'helpers',
    'a mirror with a cache, a log and a special vdev, of which the first two leave it',
    `${pair} special mirror ${disk('c')} ${disk('d')} log ${disk('e')} cache ${disk('small')}`,
    [
      datasets,
      run(`zpool remove tank ${disk('small')}`),
      run(`zpool remove tank ${disk('e')}`),
      { pass: 3 },
      status,
    ],
  ),
  {
    name: 'storage/volumes',
    about: 'volumes of a pool and their properties',
    steps: [
      poolKey,
      run('zpool status -tjp --json-int'),
      run(create('tank', pair)),
      run('zfs create -o incusos:use=incus tank/one'),
      run('zfs create -o incusos:use=linstor -o encryption=off -o quota=268435456 tank/two'),
      datasets,
      run('zfs get -H -p -o property,value encryption,keyformat tank'),
      run('zfs get -H -p -o value keystatus tank'),
      run('zfs create tank/one'),
      run('zfs create tank/none/below'),
      run('zfs create none/one'),
      run('zfs create tank/on,e'),
      run('zfs create -o quota=many tank/three'),
      run('zfs create tank/one/below'),
      run('zfs destroy tank/one'),
      run('zfs destroy -R tank/one'),
      run('zfs destroy tank/one'),
      run('zfs set quota=1024 tank/two'),
      run('zfs get -H -p -o value keystatus none'),
      run(`zfs load-key -n -L file://${keyFile} tank`),
      run(`zfs load-key -L file://${keyFile} tank`),
      { write: '/run/samples/other.key', text: 'ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=', base64: true },
      run('zfs load-key -n -L file:///run/samples/other.key tank'),
      run('zfs load-key -n -L file:///run/samples/none.key tank'),
      run('zfs change-key -o keylocation=file:///run/samples/other.key -o keyformat=raw tank'),
      run(`zfs load-key -n -L file://${keyFile} tank`),
      run('zpool destroy -f tank'),
    ],
    cleanUp,
  },
  {
    name: 'storage/upkeep',
    about: 'a pool is scrubbed and trimmed while its events are watched',
    steps: [
      poolKey,
      run(create('tank', pair)),
      { pass: 6 },
      start(events),
      { pass: 2 },
      run('zpool scrub tank'),
      { pass: 8 },
      status,
      run('zpool trim tank'),
      { pass: 8 },
      status,
      run('zpool scrub none'),
      run('zpool trim none'),
      { pass: 1 },
      stop(events),
      run('zpool destroy -f tank'),
    ],
    cleanUp,
  },
  {
    name: 'storage/members',
    about: 'members are taken offline, brought back, added and replaced',
    steps: [
      poolKey,
      run(create('tank', pair)),
      run(`zpool offline tank ${disk('b')}`),
      { pass: 1 },
      status,
      run(`zpool offline tank ${disk('a')}`),
      run(`zpool online tank ${disk('b')}`),
      { pass: 8 },
      status,
      run(`zpool attach tank mirror-0 ${disk('c')}`),
      run(`zpool attach tank ${disk('a')} ${disk('c')}`),
      { pass: 8 },
      status,
      run(`zpool replace tank ${disk('c')} ${disk('d')}`),
      { pass: 8 },
      status,
      run(`zpool add tank mirror ${disk('c')} ${disk('e')}`),
      { pass: 1 },
      status,
      run(`zpool add tank log ${disk('small')}`),
      status,
      run(`zpool remove tank ${disk('small')}`),
      { pass: 3 },
      status,
      run('zpool destroy -f tank'),
    ],
    cleanUp,
  },
  {
    name: 'storage/missing-member',
    about: 'a mirror loses a drive, is imported without it, and gets it back',
    steps: [
      poolKey,
      run(create('tank', pair)),
      { pass: 6 },
      { unplug: 'b' },
      run('zpool scrub tank'),
      { pass: 10 },
      status,
      run('zpool export tank'),
      run(`zpool import -N ${search} tank`),
      run(`zfs load-key -L file://${keyFile} tank`),
      status,
      datasets,
      { plug: 'b' },
      { pass: 10 },
      status,
      run(`zpool online tank ${disk('b')}`),
      { pass: 8 },
      status,
      run('zpool destroy -f tank'),
    ],
    cleanUp,
  },
  {
    name: 'storage/import',
    about: 'pools are exported and imported',
    steps: [
      poolKey,
      run(create('tank', pair)),
      run('zpool export tank'),
      run('zpool export tank'),
      run(`zpool import -N ${search} none`),
      run(`zpool import -N ${search} tank`),
      run('zfs get -H -p -o value keystatus tank'),
      datasets,
      run('zfs create tank/locked'),
      run(`zfs load-key -L file://${keyFile} tank`),
      run(`zfs set keylocation=file://${keyFile} tank`),
      run(`zpool import -N ${search} tank`),
      run('zpool destroy -f tank'),
      run('zpool destroy -f tank'),
    ],
    cleanUp,
  },
  {
    name: 'storage/checksum-errors',
    about: 'a scrub finds a drive of a mirror overwritten',
    steps: [
      poolKey,
      run(create('tank', pair)),
      {
        real: 'zfs create -o mountpoint=/run/samples/tank tank/data; dd if=/dev/urandom of=/run/samples/tank/file bs=1M count=64 status=none; sync',
      },
      {
        real: `dd if=/dev/urandom of=${disk('b')}-part1 bs=1M seek=8 count=700 conv=notrunc,fsync status=none`,
      },
      run('zpool scrub tank'),
      { pass: 15 },
      status,
      run('zpool destroy -f tank'),
    ],
    cleanUp,
  },
  {
    name: 'storage/refusals',
    about: 'pools that ZFS does not make, and changes that it does not allow',
    steps: [
      poolKey,
      run(create('tank', `mirror ${disk('a')}`)),
      run(create('tank', `mirror ${disk('a')} ${disk('small')}`)),
      run(create('tank', `raidz2 ${disk('a')} ${disk('b')}`)),
      run(create('tank', `mirror ${disk('a')} ${disk('b')} ${disk('c')} mirror ${disk('d')} ${disk('e')}`)),
      run(create('tank', `${disk('a')} mirror ${disk('d')} ${disk('e')}`)),
      run(create('tank', disk('none'))),
      run(create('ta,nk', pair)),
      run(create('mirror', pair)),
      run(create('tank', `${disk('a')} ${disk('a')}`)),
      { real: blank },
      run(create('tank', pair)),
      run(create('tank', `mirror ${disk('c')} ${disk('d')}`)),
      run(create('other', `mirror ${disk('b')} ${disk('c')}`)),
      run(create('other', `mirror ${disk('b')} ${disk('c')}`, ' -f')),
      run(`zpool add tank ${disk('c')}`),
      run(`zpool add tank mirror ${disk('c')} ${disk('small')}`),
      run(`zpool attach tank ${disk('a')} ${disk('small')}`),
      run(`zpool attach tank ${disk('a')} ${disk('b')}`),
      run(`zpool attach tank ${disk('e')} ${disk('c')}`),
      ...startAnew,
      run(create('tank', pair)),
      run(`zpool replace tank ${disk('a')} ${disk('small')}`),
      run(`zpool replace tank ${disk('e')} ${disk('c')}`),
      run(`zpool remove tank ${disk('e')}`),
      run(`zpool remove tank ${disk('a')}`),
      run(`zpool offline tank ${disk('e')}`),
      run('zpool offline none a'),
      run('zpool status -tjp --json-int none'),
      run('zpool frobnicate'),
      run('zpool scrub -y tank'),
      run('zpool export tank'),
      run(create('other', `mirror ${disk('b')} ${disk('c')}`)),
      run(`zpool import -N ${search} tank`),
      ...startAnew,
      run(create('tank', `raidz1 ${['a', 'b', 'c'].map(disk).join(' ')}`)),
      run(`zpool remove tank ${disk('a')}`),
      run(`zpool attach tank ${disk('a')} ${disk('d')}`),
      run('zpool destroy -f tank'),
      run('zpool destroy -f tank'),
    ],
    cleanUp,
  },
];
