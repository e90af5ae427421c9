/** The add-on services' own structures, by the case under which they travel. */
import {
  type GetAddonResponse,
  ServiceCephConfig,
  ServiceISCSIConfig,
  ServiceLinstorConfig,
  ServiceLVMConfig,
  ServiceMultipathConfig,
  ServiceNetbirdConfig,
  ServiceNVMEConfig,
  ServiceOVNConfig,
  ServiceTailscaleConfig,
  ServiceUSBIPConfig,
  type SetAddonConfigRequest,
} from '@incusos/contracts/addons';
import { bodies, type Body } from '@incusos/contracts/dto';
import type { Structure } from '@incusos/contracts/rest';
import * as structures from '@incusos/contracts/rest/addons';
import { answer } from '../http/answer.ts';
import { checkBody } from '../http/json-body.ts';

type Addon = NonNullable<GetAddonResponse['addon']>;
type AddonName = Addon['$case'];
type Values = { [A in Addon as A['$case']]: A['value'] };
type Config = NonNullable<SetAddonConfigRequest['config']>;
type Configs = { [C in Config as C['$case']]: C['value'] };

const replies: { readonly [Name in AddonName]: Structure<Values[Name]> } = {
  ceph: structures.ServiceCeph,
  iscsi: structures.ServiceISCSI,
  linstor: structures.ServiceLinstor,
  lvm: structures.ServiceLVM,
  multipath: structures.ServiceMultipath,
  netbird: structures.ServiceNetbird,
  nvme: structures.ServiceNVME,
  ovn: structures.ServiceOVN,
  tailscale: structures.ServiceTailscale,
  usbip: structures.ServiceUSBIP,
};

/** What a body without `config` sets. */
const unset: { readonly [Name in AddonName]: () => Configs[Name] } = {
  ceph: () => ServiceCephConfig.create(),
  iscsi: () => ServiceISCSIConfig.create(),
  linstor: () => ServiceLinstorConfig.create(),
  lvm: () => ServiceLVMConfig.create(),
  multipath: () => ServiceMultipathConfig.create(),
  netbird: () => ServiceNetbirdConfig.create(),
  nvme: () => ServiceNVMEConfig.create(),
  ovn: () => ServiceOVNConfig.create(),
  tailscale: () => ServiceTailscaleConfig.create(),
  usbip: () => ServiceUSBIPConfig.create(),
};

/** Whether there is an add-on service of this name at all. */
export function isAddonName(name: string): name is AddonName {
  return Object.hasOwn(replies, name);
}

/** The reply that shows an add-on service. */
export function addonReply<Name extends AddonName>(
  addon: { [N in Name]: { $case: N; value: Values[N] } }[Name],
): string {
  return answer<Values[Name]>(replies[addon.$case], addon.value);
}

/** The configuration that a body sets. */
export function addonConfig(name: AddonName, body: unknown): Config {
  // The compiler can't see that a name, its structure and its configuration stay together.
  const rules = bodies.addonConfigs[name] as Body<object> as Body<{ config: Config['value'] | undefined }>;
  return { $case: name, value: checkBody(rules, body).config ?? unset[name]() } as Config;
}
