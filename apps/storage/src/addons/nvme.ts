/** NVMe: the subsystems of this machine, local drives included, from sysfs. */
import type {
  ServiceNVMEController,
  ServiceNVMEState,
  ServiceNVMESubsystem,
} from '@incusos/contracts/addons';
import type { Files } from '@incusos/host';

const directory = '/sys/class/nvme-subsystem';

/** Host id and name are shown only while the service is enabled. */
export async function nvmeState(files: Files): Promise<ServiceNVMEState> {
  const names = await files.list(directory);
  return {
    host_id: '',
    host_nqn: '',
    subsystems: await Promise.all(names.map((name) => subsystem(files, name))),
  };
}

async function subsystem(files: Files, name: string): Promise<ServiceNVMESubsystem> {
  const entries = await files.list(`${directory}/${name}`);
  const namespaces = entries.filter((entry) => /^nvme\d+n\d+$/u.test(entry));
  const controllers = entries.filter((entry) => /^nvme\d+$/u.test(entry));
  return {
    name,
    nqn: await attribute(files, `${directory}/${name}/subsysnqn`),
    controllers: await Promise.all(
      controllers.map((controller) => readController(files, `${directory}/${name}`, controller, namespaces)),
    ),
  };
}

async function readController(
  files: Files,
  path: string,
  name: string,
  namespaces: readonly string[],
): Promise<ServiceNVMEController> {
  const [transport, address, state] = await Promise.all([
    attribute(files, `${path}/${name}/transport`),
    attribute(files, `${path}/${name}/address`),
    attribute(files, `${path}/${name}/state`),
  ]);
  return { name, transport, address, state, namespaces: [...namespaces] };
}

async function attribute(files: Files, path: string): Promise<string> {
  return (await files.readText(path).catch(() => '')).trim();
}
