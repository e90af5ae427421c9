/**
 * The kernel's configuration.
 *
 * Invariants: it is stored only after everything applied; when a part fails, what came before it is put back to the
 * configuration in force; one change at a time.
 */
import { SystemKernel, type SystemKernelConfig } from '@incusos/contracts/system';
import { type Host, HOST, ProgramError } from '@incusos/host';
import { DomainError, ExclusiveRunner, LOGGER, type Logger, reasonOf } from '@incusos/service';
import type { StateStore } from '@incusos/state';
import { commitState, stateFailure } from '@incusos/state-owner';
import { Inject, Injectable } from '@nestjs/common';
import { SYSTEM_STATE, type SystemState } from '../state/system-state.ts';
import { parseByteSize } from './byte-size.ts';
import { kernelFiles, sysctlSettings } from './kernel-files.ts';
import { checkKernelConfig, type KernelFacts } from './kernel-rules.ts';
import { applySriov, bindPassthrough, virtualFunctions } from './pci-devices.ts';
import { applyZramSwap, zramState } from './zram.ts';

const processors = '/sys/devices/system/cpu';
const arcParameter = '/sys/module/zfs/parameters/zfs_arc_max';

@Injectable()
export class KernelService {
  private readonly changes = new ExclusiveRunner();

  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(SYSTEM_STATE) private readonly state: StateStore<SystemState>,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async get(): Promise<SystemKernel> {
    const zram_swap = await zramState(this.host);
    return SystemKernel.create({
      config: this.state.current.kernel,
      state: zram_swap === undefined ? {} : { memory: { zram_swap } },
    });
  }

  /** @throws DomainError `INVALID_REQUEST` for a wrong configuration, `OPERATION_FAILED` when it could not be applied. */
  set(config: SystemKernelConfig, signal: AbortSignal): Promise<void> {
    return this.changes.run(async () => {
      await checkKernelConfig(config, this.facts());
      const previous = this.state.current.kernel;
      try {
        await this.apply(config, previous);
        await commitState(this.state, 'kernel configuration', (state) => ({ ...state, kernel: config }));
      } catch (error) {
        await this.apply(previous, config).catch((second: unknown) => {
          this.logger.error('The previous kernel configuration could not be put back', {
            error: reasonOf(second),
          });
        });
        throw error;
      }
    }, signal);
  }

  /** Lets the stored configuration take effect after something else than {@link KernelService.set} changed it. */
  applyStored(previous: SystemKernelConfig): Promise<void> {
    return this.changes.run(() => this.apply(this.state.current.kernel, previous));
  }

  /**
   * What a boot has to do again. The files of modprobe and sysctl have done their part before, unless they are those
   * of a change that was cut off before it was stored.
   */
  async applyAtBoot(): Promise<void> {
    const { kernel } = this.state.current;
    await this.setBaudRates(kernel);
    if (await this.hasOtherFiles(kernel)) await this.apply(kernel, kernel);
    else await this.applyVolatile(kernel, kernel);
  }

  private async hasOtherFiles(config: SystemKernelConfig): Promise<boolean> {
    for (const [path, content] of kernelFiles(config)) {
      const present = await this.host.files.readText(path).catch(() => undefined);
      // A machine that was never configured has none.
      if (present !== content && (present !== undefined || this.state.revision > 0)) return true;
    }
    return false;
  }

  private async apply(config: SystemKernelConfig, previous: SystemKernelConfig): Promise<void> {
    const { files } = this.host;
    for (const [path, content] of kernelFiles(config)) {
      if (content === undefined) await files.remove(path);
      else await this.replace(path, content);
    }
    await this.unloadModules(config.blacklist_modules);
    await this.applySysctl(config);
    await this.applyVolatile(config, previous);
    const arc = (of: SystemKernelConfig): bigint => parseByteSize(of.zfs?.arc_max_size ?? '');
    if ((arc(config) > 0n || arc(previous) > 0n) && (await files.exists(arcParameter))) {
      await this.run(() => files.writeInPlace(arcParameter, `${arc(config)}\n`));
    }
  }

  /** The parts that live in memory only. */
  private async applyVolatile(config: SystemKernelConfig, previous: SystemKernelConfig): Promise<void> {
    await this.applyPci(config, previous);
    const zram = config.memory?.zram_swap_size ?? '';
    if (zram !== '') await this.run(() => applyZramSwap(this.host, parseByteSize(zram)));
    await this.applyGovernor(config.cpu?.scaling_governor ?? '');
  }

  /** A file that says so already is left alone. */
  private async replace(path: string, content: string): Promise<void> {
    const present = await this.host.files.readText(path).catch(() => undefined);
    if (present === content) return;
    await this.host.files.writeAtomic(path, content).catch((error: unknown) => {
      throw stateFailure(error);
    });
  }

  /** One that is in use stays until the next boot. */
  private async unloadModules(names: readonly string[]): Promise<void> {
    for (const name of names) await this.host.programs.run(['rmmod', name], { acceptExitCodes: 'any' });
  }

  private async applySysctl(config: SystemKernelConfig): Promise<void> {
    const restarted = await this.host.programs
      .run(['systemctl', 'restart', 'systemd-sysctl.service'], { timeoutMs: 30_000 })
      .catch((error: unknown) => error);
    // The unit's failure doesn't say which setting it was, the kernel does.
    for (const [key, value] of sysctlSettings(config)) {
      const present = await this.host.files.readText(`/proc/sys/${key.replaceAll('.', '/')}`).catch(() => '');
      if (present.trim().split(/\s+/u).join(' ') === value) continue;
      if (key !== 'vm.nr_hugepages') refuse(key, value);
      // The kernel gives as many pages as it can find in one piece.
      this.logger.warn('Not all huge pages could be reserved', { wanted: value, reserved: present.trim() });
    }
    if (restarted instanceof Error) throw failed(restarted);
  }

  private async applyPci({ pci }: SystemKernelConfig, previous: SystemKernelConfig): Promise<void> {
    if (pci === undefined) return;
    const left = await bindPassthrough(this.host, pci);
    if (left.length > 0)
      this.logger.warn('PCI devices are handed over at the next boot', { devices: left.join(', ') });
    const kept = new Set(pci.sriov.map(({ pci_address }) => pci_address));
    const dropped = (previous.pci?.sriov ?? []).filter(({ pci_address }) => !kept.has(pci_address));
    await this.run(() =>
      applySriov(this.host.files, [...dropped.map((device) => ({ ...device, vf_count: 0 })), ...pci.sriov]),
    );
  }

  private async applyGovernor(governor: string): Promise<void> {
    if (governor === '') return;
    const { files } = this.host;
    for (const name of await files.list(processors)) {
      const path = `${processors}/${name}/cpufreq/scaling_governor`;
      if (/^cpu\d+$/u.test(name) && (await files.exists(path)))
        await files.writeInPlace(path, `${governor}\n`);
    }
  }

  private async setBaudRates({ console }: SystemKernelConfig): Promise<void> {
    for (const { device, baud_rate = 0 } of console) {
      if (baud_rate === 0) continue;
      await this.host.programs
        .run(['stty', '-F', `/dev/${device}`, String(baud_rate)])
        .catch((error: unknown) => {
          this.logger.warn('The baud rate of a console could not be set', { device, error: reasonOf(error) });
        });
    }
  }

  private facts(): KernelFacts {
    const { files } = this.host;
    const words = async (path: string): Promise<string[]> =>
      (await files.readText(path)).trim().split(/\s+/u);
    return {
      congestionAlgorithms: () => words('/proc/sys/net/ipv4/tcp_available_congestion_control'),
      governors: () => words(`${processors}/cpu0/cpufreq/scaling_available_governors`).catch(() => undefined),
      virtualFunctions: (address) => virtualFunctions(files, address),
      memory: async () => {
        const kibibytes = /^MemTotal:\s+(\d+)/mu.exec(await files.readText('/proc/meminfo'))?.[1] ?? '0';
        return BigInt(kibibytes) * 1024n;
      },
    };
  }

  private async run(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      throw failed(error);
    }
  }
}

function refuse(key: string, value: string): never {
  if (key === 'net.core.default_qdisc') {
    const message = `unsupported queuing discipline '${value}'`;
    throw new DomainError('INVALID_REQUEST', message, {
      fields: [{ field: 'config.network.queuing_discipline', reason: message }],
    });
  }
  throw new DomainError('OPERATION_FAILED', `the kernel did not accept ${key} = ${value}`);
}

/** A program's or the kernel's refusal in a sentence for the caller. */
function failed(error: unknown): Error {
  if (error instanceof DomainError) return error;
  if (error instanceof ProgramError) {
    return new DomainError('OPERATION_FAILED', error.stderr === '' ? error.message : error.stderr, {
      cause: error,
    });
  }
  if (error instanceof Error && 'code' in error) {
    return new DomainError('OPERATION_FAILED', `the kernel refused the change (${String(error.code)})`, {
      cause: error,
    });
  }
  return error instanceof Error ? error : new Error(String(error));
}
