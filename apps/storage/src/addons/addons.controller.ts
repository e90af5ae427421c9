/** The add-on services of storage. They can be read; configuring them comes with their programs. */
import {
  AddonHostService,
  type GetAddonRequest,
  type GetAddonResponse,
  type ListAddonsResponse,
  type ResetAddonRequest,
  ServiceISCSI,
  ServiceLVM,
  ServiceMultipath,
  ServiceNVME,
  type SetAddonConfigRequest,
} from '@incusos/contracts/addons';
import { HOST, type Host } from '@incusos/host';
import { DomainError, GrpcController, type ServiceHandlers } from '@incusos/service';
import { Inject } from '@nestjs/common';
import { iscsiInitiator } from './iscsi.ts';
import { fibreChannelControllers } from './multipath.ts';
import { nvmeState } from './nvme.ts';

/** `ceph` and `linstor` belong to applications, and are there only while those are installed. */
const names = ['iscsi', 'lvm', 'multipath', 'nvme'];

@GrpcController(AddonHostService)
export class AddonsController implements ServiceHandlers<typeof AddonHostService> {
  constructor(@Inject(HOST) private readonly host: Host) {}

  listAddons(): ListAddonsResponse {
    return { names };
  }

  async getAddon({ name }: GetAddonRequest): Promise<GetAddonResponse> {
    switch (name) {
      case 'iscsi':
        return {
          addon: {
            $case: 'iscsi',
            value: ServiceISCSI.create({
              config: {},
              state: { initiator_name: await iscsiInitiator(this.host.files) },
            }),
          },
        };
      case 'lvm':
        return { addon: { $case: 'lvm', value: ServiceLVM.create({ config: {}, state: {} }) } };
      case 'multipath':
        return {
          addon: {
            $case: 'multipath',
            value: ServiceMultipath.create({
              config: {},
              state: { controllers: await fibreChannelControllers(this.host.files) },
            }),
          },
        };
      case 'nvme':
        return {
          addon: {
            $case: 'nvme',
            value: ServiceNVME.create({ config: {}, state: await nvmeState(this.host.files) }),
          },
        };
      default:
        throw notFound();
    }
  }

  setAddonConfig({ name }: SetAddonConfigRequest): never {
    requireOwn(name);
    throw new DomainError('NOT_IMPLEMENTED', `configuring the service ${name} is not implemented yet`);
  }

  resetAddon({ name }: ResetAddonRequest): never {
    requireOwn(name);
    // Neither can be enabled yet.
    if (name === 'lvm' || name === 'nvme')
      throw new DomainError('PRECONDITION_FAILED', `${name.toUpperCase()} isn't currently enabled`);
    throw new DomainError('INVALID_REQUEST', "reset isn't supported by this service");
  }
}

function requireOwn(name: string): void {
  if (!names.includes(name)) throw notFound();
}

function notFound(): DomainError {
  return new DomainError('NOT_FOUND', 'not found');
}
