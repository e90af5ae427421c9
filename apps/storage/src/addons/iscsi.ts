/** iSCSI: the name this machine goes by (open-iscsi's `initiatorname.iscsi`). */
import type { Files } from '@incusos/host';

/** Empty as long as none was made. */
export async function iscsiInitiator(files: Files): Promise<string> {
  const text = await files.readText('/etc/iscsi/initiatorname.iscsi').catch(() => '');
  return /^InitiatorName=(.+)$/mu.exec(text)?.[1]?.trim() ?? '';
}
