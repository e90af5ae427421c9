/** Options of LXCFS, which Incus containers see their limits through. */
import type { ApplicationIncusConfigLXCFS } from '@incusos/contracts/applications';
import type { Host } from '@incusos/host';

const file = '/etc/default/incus';
const unit = 'incus-lxcfs.service';

function options({ cpu_shares, load_average }: ApplicationIncusConfigLXCFS): string {
  return [cpu_shares ? '--enable-cfs' : '', load_average ? '--enable-loadavg' : '']
    .filter((option) => option !== '')
    .join(' ');
}

/** Sets the options; LXCFS is restarted when they changed and it runs. Other settings of the file stay. */
export async function applyLxcfs(
  { files, programs }: Host,
  config: ApplicationIncusConfigLXCFS,
): Promise<void> {
  const present = await files.readText(file).catch(() => '');
  // Without a file LXCFS has no options.
  if (present === '' && options(config) === '') return;
  const others = present.split('\n').filter((line) => line !== '' && !line.startsWith('LXCFS_OPTS='));
  const wanted = [...others, `LXCFS_OPTS="${options(config)}"`, ''].join('\n');
  if (wanted === present) return;
  await files.writeAtomic(file, wanted);
  await programs.run(['systemctl', 'try-restart', unit]);
}
