/** Drives of every bus: how they are listed, watched, wiped and encrypted. */
import { disk, run, type Scene, start, stop, type Step } from '../scene.ts';

const system = '/dev/sda';
const nodes = ['a', 'f', 's', 'u', 'n', 'v'].map((serial) => `/dev/{node:${serial}}`);
const monitor = 'udevadm monitor --udev --property --subsystem-match=block';
const marker = 'INCUS';
const key: Step = {
  write: '/run/samples/drive.key',
  text: Buffer.from('0123456789abcdef0123456789abcdef').toString('base64'),
  base64: true,
};
const wrongKey: Step = {
  write: '/run/samples/wrong.key',
  text: Buffer.from('fedcba9876543210fedcba9876543210').toString('base64'),
  base64: true,
};

function wiping(device: string): readonly Step[] {
  return [
    run(`dd of=${device} bs=5 count=1 seek=512 oflag=seek_bytes conv=notrunc,fsync status=none`, marker),
    run(`dd if=${device} bs=5 count=1 skip=512 iflag=skip_bytes,fullblock status=none`),
    run(`blkdiscard -f -s ${device}`),
    run(`blkdiscard -f ${device}`),
    run(`dd if=${device} bs=5 count=1 skip=512 iflag=skip_bytes,fullblock status=none`),
    run(`blkdiscard -f -z ${device}`),
    run(`sgdisk -Z ${device}`),
    run(`sgdisk -n 11:2048:0 -t 11:8300 ${device}`),
    run('udevadm settle --timeout=10'),
    run(`sgdisk -Z ${device}`),
  ];
}

export const driveScenes: readonly Scene[] = [
  {
    name: 'storage/drives',
    about: 'drives on SCSI, SATA, NVMe, USB and virtio beside the system disk',
    steps: [
      run('lsblk -JMpdb -e 1,2,7,43,147,230,251 -o KNAME,ID_LINK,SIZE,SUBSYSTEMS,RM,WWN'),
      run('lsblk -Jp -e 1,2,7,43,147,230,251 -o NAME,TYPE,MOUNTPOINTS'),
      run(
        'lsblk -J -b -o NAME,TYPE,SIZE,RO,RM,ROTA,PHY-SEC,MAJ:MIN,MODEL,SERIAL,WWN,REV,SUBSYSTEMS,ID-LINK,PARTN',
      ),
      ...[system, ...nodes].map((node) => run(`smartctl -aj ${node}`)),
      run('smartctl -aj /dev/sdzz'),
      run('lsblk -J -o NONE'),
    ],
  },
  {
    name: 'storage/plugged',
    about: 'a drive is pulled out and plugged in again while udev is watched',
    steps: [
      run('udevadm control --reload'),
      start(monitor),
      { pass: 3 },
      { unplug: 'e' },
      { pass: 3 },
      { plug: 'e' },
      { pass: 5 },
      run('udevadm settle --timeout=10'),
      stop(monitor),
    ],
  },
  {
    name: 'storage/wiping',
    about: 'what is on a drive is removed',
    steps: [
      ...wiping(disk('a')),
      run(`blkdiscard -f ${disk('none')}`),
      run(`sgdisk -Z ${disk('none')}`),
      run(`dd if=${disk('none')} bs=5 count=1 skip=0 iflag=skip_bytes,fullblock status=none`),
    ],
  },
  {
    name: 'storage/encrypted-drive',
    about: 'a whole drive is encrypted, opened and closed',
    steps: [
      key,
      wrongKey,
      run(`cryptsetup luksFormat -q --type luks2 --key-file /run/samples/drive.key ${disk('a')}`),
      run(`cryptsetup open --key-file /run/samples/wrong.key ${disk('a')} luks-a`),
      run(`cryptsetup open --key-file /run/samples/drive.key ${disk('a')} luks-a`),
      run(`cryptsetup open --key-file /run/samples/drive.key ${disk('a')} luks-a`),
      run(`cryptsetup luksFormat -q --type luks2 --key-file /run/samples/drive.key ${disk('a')}`),
      run('lsblk -Jp -e 1,2,7,43,147,230,251 -o NAME,TYPE,MOUNTPOINTS'),
      run('cryptsetup close luks-a'),
      run('cryptsetup close luks-a'),
      run(`cryptsetup open --key-file /run/samples/drive.key ${disk('b')} luks-b`),
      run(`cryptsetup open --key-file /run/samples/drive.key ${disk('none')} luks-b`),
      run(`cryptsetup open --key-file /run/samples/none.key ${disk('a')} luks-a`),
    ],
    cleanUp: `cryptsetup close luks-a 2>/dev/null; sgdisk -Z ${disk('a')} >/dev/null 2>&1; blkdiscard -f ${disk('a')}; true`,
  },
];
