/** Multipath: the Fibre Channel ports of this machine, from sysfs. */
import type { ServiceMultipathController } from '@incusos/contracts/addons';
import type { Files } from '@incusos/host';

export async function fibreChannelControllers(files: Files): Promise<ServiceMultipathController[]> {
  const hosts = await files.list('/sys/class/fc_host');
  return Promise.all(
    hosts.map(async (host) => {
      const read = async (attribute: string): Promise<string> =>
        (await files.readText(`/sys/class/fc_host/${host}/${attribute}`).catch(() => '')).trim();
      const [fabric_name, node_name, port_name, port_state, port_type, speed, supported_speeds] =
        await Promise.all([
          read('fabric_name'),
          read('node_name'),
          read('port_name'),
          read('port_state'),
          read('port_type'),
          read('speed'),
          read('supported_speeds'),
        ]);
      return { fabric_name, node_name, port_name, port_state, port_type, speed, supported_speeds };
    }),
  );
}
