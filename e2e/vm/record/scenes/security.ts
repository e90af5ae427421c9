/** What firmware and the TPM measured, and the keyslots of encrypted volumes. */
import { disk, run, type Scene, type Step } from '../scene.ts';

const globalVariable = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
const imageDatabase = 'd719b2cb-3d3a-4596-a3bc-dad00e67656f';
const variables = [
  `SecureBoot-${globalVariable}`,
  `PK-${globalVariable}`,
  `KEK-${globalVariable}`,
  `db-${imageDatabase}`,
  `dbx-${imageDatabase}`,
  'IncusOSTPMState-12f075e0-2d07-493d-811a-00920a72c04c',
];
const volume = disk('a');
const keyFile = '/run/samples/volume.key';
const zeros = '0'.repeat(64);
const dump = run(`cryptsetup luksDump --dump-json-metadata ${volume}`);

function text(path: string, content: string): Step {
  return { write: path, text: content };
}

function find(passphrase: string): Step {
  return run(`cryptsetup open --test-passphrase --verbose --key-file - ${volume}`, passphrase);
}

function bind(pcrs: string): Step {
  const options = `--unlock-key-file=${keyFile} --tpm2-device=auto --wipe-slot=tpm2 --tpm2-pcrlock=`;
  return run(`systemd-cryptenroll ${options} --tpm2-pcrs=${pcrs} ${volume}`);
}

export const securityScenes: readonly Scene[] = [
  {
    name: 'security/firmware',
    about: 'the variables of Secure Boot, the TPM and its log after a boot',
    steps: [
      ...variables.map((name): Step => ({ read: `/sys/firmware/efi/efivars/${name}`, binary: true })),
      { read: '/sys/kernel/security/tpm0/binary_bios_measurements', binary: true },
      ...[4, 7, 11, 15].map((pcr): Step => ({ read: `/sys/class/tpm/tpm0/pcr-sha256/${pcr}` })),
    ],
  },
  {
    name: 'security/system-volumes',
    about: 'the headers of the volumes that the system runs from',
    steps: [
      run('cryptsetup luksDump --dump-json-metadata /dev/disk/by-partlabel/root'),
      run('cryptsetup luksDump --dump-json-metadata /dev/disk/by-partlabel/swap'),
      run('systemd-cryptenroll /dev/disk/by-partlabel/root'),
    ],
  },
  {
    name: 'security/keyslots',
    about: 'passphrases, recovery keys and the TPM come into the header of a volume and leave it',
    steps: [
      text(keyFile, 'first passphrase'),
      run(`cryptsetup luksFormat -q --type luks2 --key-file ${keyFile} ${volume}`),
      dump,
      run(`cryptsetup luksAddKey --batch-mode --key-file ${keyFile} ${volume} -`, 'second passphrase'),
      find('second passphrase'),
      find('no passphrase'),
      bind(`7:sha256=${zeros}+15:sha256=${zeros}`),
      bind(`7:sha256=${zeros}+15:sha256=${zeros}`),
      bind(`7:sha256=${'f'.repeat(64)}+15:sha256=${zeros}`),
      dump,
      run(`systemd-cryptenroll --unlock-tpm2-device=auto --recovery-key --wipe-slot=recovery ${volume}`),
      run(`systemd-cryptenroll --unlock-key-file=${keyFile} --recovery-key --wipe-slot=recovery ${volume}`),
      dump,
      run(`systemd-cryptenroll ${volume}`),
      run(`cryptsetup luksKillSlot --batch-mode --key-file ${keyFile} ${volume} 1`),
      run(`cryptsetup luksKillSlot --batch-mode --key-file ${keyFile} ${volume} 1`),
      run(`cryptsetup luksRemoveKey --batch-mode ${volume} -`, 'no passphrase'),
      run(`cryptsetup luksRemoveKey --batch-mode ${volume} -`, 'first passphrase'),
      dump,
      run(`cryptsetup luksDump --dump-json-metadata ${disk('b')}`),
      run(`cryptsetup luksDump --dump-json-metadata ${disk('none')}`),
      run(`systemd-cryptenroll --unlock-tpm2-device=auto --recovery-key --wipe-slot=recovery ${disk('b')}`),
      run(
        `systemd-cryptenroll --unlock-tpm2-device=auto --recovery-key --wipe-slot=recovery ${disk('none')}`,
      ),
    ],
    cleanUp: `sgdisk -Z ${volume} >/dev/null 2>&1; blkdiscard -f ${volume}; true`,
  },
];
